/** The parts of a package.json that choose the tools. A stranger wrote it: nothing about the values is known. */
export interface ProjectManifest {
  packageManager?: unknown;
  devEngines?: unknown;
  engines?: unknown;
  volta?: unknown;
  dependencies?: unknown;
  devDependencies?: unknown;
  optionalDependencies?: unknown;
}

/** More is no name and no version; it would be matched against expressions, and told again and again. */
const MAX_TEXT_CHARS = 500;

/** `holder[key]` where that is a text that says something. */
export function textAt(holder: unknown, key: string): string | undefined {
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) return undefined;
  const value = (holder as Record<string, unknown>)[key];
  if (typeof value !== 'string' || value.length > MAX_TEXT_CHARS) return undefined;
  return value.trim() || undefined;
}

/** The entries of `devEngines.runtime` or `devEngines.packageManager`: one, or a list of them. */
export function devEngines(
  manifest: ProjectManifest,
  key: 'runtime' | 'packageManager',
): { name: string; version?: string }[] {
  const holder = manifest.devEngines;
  if (typeof holder !== 'object' || holder === null) return [];
  const entries: unknown[] = [(holder as Record<string, unknown>)[key]].flat();
  return entries.flatMap((entry) => {
    const name = textAt(entry, 'name');
    return name ? [{ name, version: textAt(entry, 'version') }] : [];
  });
}
