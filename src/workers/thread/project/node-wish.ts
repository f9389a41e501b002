import semver from 'semver';
import { devEngines, textAt, type ProjectManifest } from './project-manifest.js';

/** The Node.js that a repository asks for. */
export interface NodeWish {
  /** As the repository writes it. */
  wanted: string;
  /** Where it stands, for people. */
  source: string;
  /** What it means; undefined where it means nothing. */
  range?: string;
}

/** What `.nvmrc` and `.node-version` hold. */
export interface VersionFiles {
  nvmrc?: string;
  nodeVersion?: string;
}

const LTS_NAMES: Record<string, number> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
};
const ANY_NAMES = new Set(['node', 'latest', 'current', 'stable', 'lts', 'lts/*']);

/**
 * The first that is there of: `devEngines.runtime`, which is meant for exactly this; `engines.node`, which the package
 * managers enforce; then the files and fields by which developers pin the one version on their own machines, often
 * narrower than what the code needs.
 */
export function nodeWish(manifest: ProjectManifest, files: VersionFiles): NodeWish | undefined {
  const runtime = devEngines(manifest, 'runtime').find(({ name }) => name === 'node');
  const places: [string | undefined, string][] = [
    [runtime?.version, 'devEngines.runtime in package.json'],
    [textAt(manifest.engines, 'node'), 'engines.node in package.json'],
    [firstLine(files.nvmrc), '.nvmrc'],
    [firstLine(files.nodeVersion), '.node-version'],
    [textAt(manifest.volta, 'node'), 'volta.node in package.json'],
  ];
  const found = places.find(([wanted]) => wanted !== undefined);
  return found && { wanted: found[0] as string, source: found[1], range: toRange(found[0] as string) };
}

/**
 * The newest version that fits, of an even major where there is one: these become LTS lines, while odd ones are left after
 * half a year and many native modules have no builds for them. So `>=22` becomes 26, and only `23` becomes 23.
 */
export function newestNode<T extends { version: string }>(
  published: T[],
  fits: (version: string) => boolean,
): T | undefined {
  const fitting = published
    .filter(({ version }) => semver.valid(version) && fits(version))
    .toSorted((a, b) => semver.rcompare(a.version, b.version));
  return fitting.find(({ version }) => semver.major(version) % 2 === 0) ?? fitting[0];
}

function toRange(wanted: string): string | undefined {
  const name = wanted.toLowerCase();
  if (ANY_NAMES.has(name)) return '*';
  const major = LTS_NAMES[name.replace(/^lts\//, '')];
  return major ? `^${major}` : (semver.validRange(wanted) ?? undefined);
}

/** Comments are allowed in both files. */
const firstLine = (text = ''): string | undefined =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .find((line) => line !== '');
