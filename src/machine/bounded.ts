/** Text from a repository is stored, and sent again and again, and its length is a stranger's choice: it is bounded here. */
const MAX_CHARS = 500;
const MAX_WARNINGS = 50;
const MAX_PATHS = 1_000;
/** Of all of them together. */
const MAX_PATH_CHARS = 200_000;

export const shortened = (text: string, maxChars = MAX_CHARS): string =>
  text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;

/** Where things lie on the machine is nobody's business but the server's. */
export const withoutPaths = (text: string): string =>
  shortened(text.replace(/(^|[\s'"(])(file:\/\/)?\/[^\s'")]+/g, '$1…'));

/** The first ones, no more of them than are worth reading. */
export function boundedPaths(paths: string[]): string[] {
  let chars = 0;
  return paths.slice(0, MAX_PATHS).filter((path) => (chars += path.length) <= MAX_PATH_CHARS);
}

/** The first ones, and how many more there are. */
export function boundedWarnings(warnings: string[]): string[] {
  const told = warnings.slice(0, MAX_WARNINGS).map((warning) => shortened(warning));
  const more = warnings.length - told.length;
  return more > 0 ? [...told, `… and ${more} more warnings`] : told;
}
