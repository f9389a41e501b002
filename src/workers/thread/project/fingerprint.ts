import { createHash } from 'node:crypto';
import { readdirSync, type Dirent } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { parseManifest } from './parse-manifest.js';
import { readInside, UnreadableFile } from '../../../machine/read-inside.js';

/** What an install depends on: dependencies, their overrides, the tools that are wanted. Everything else may change freely. */
const MANIFEST_FIELDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'trustedDependencies',
  'overrides',
  'resolutions',
  'packageManager',
  'engines',
  'devEngines',
  'volta',
  'workspaces',
  'catalog',
  'catalogs',
  'pnpm',
];

/** Scripts of a project itself that package managers run around an install. */
const PROJECT_SCRIPTS = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];

/** What package managers read beside package.json. */
export const DEPENDENCY_FILES = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'bun.lock',
  'bun.lockb',
  'bunfig.toml',
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
];

const NODE_VERSION_FILES = ['.nvmrc', '.node-version'];

const MAX_FILE_BYTES = 64_000_000;
/** Beyond this many folders the members of a workspace are not looked for any further. */
const MAX_FOLDERS = 20_000;

/** Digest of all that decides what an install yields: when it changes, an install is due. Never throws for bad content. */
export function dependencyFingerprint(workspace: string): string {
  const hash = createHash('sha256');
  const add = (name: string, content: Buffer | string) => hash.update(`${name}\0${content.length}\0`).update(content);
  for (const name of [...DEPENDENCY_FILES, ...NODE_VERSION_FILES]) {
    const content = contentOf(workspace, name);
    if (content) add(name, content);
  }
  for (const path of manifestPaths(workspace)) add(path, relevantFields(workspace, path));
  return hash.digest('hex');
}

/** Whether an install runs scripts of the repository itself, or of a member of its workspace. */
export function hasInstallScripts(workspace: string): boolean {
  return manifestPaths(workspace).some((path) => {
    try {
      return PROJECT_SCRIPTS.some((script) => scriptOf(parseManifest(workspace, path), script) !== null);
    } catch {
      return false; // no JSON
    }
  });
}

function contentOf(workspace: string, name: string): Buffer | string | undefined {
  try {
    return readInside(workspace, name, MAX_FILE_BYTES);
  } catch (error) {
    if (error instanceof UnreadableFile) return error.message;
    throw error;
  }
}

/** Of one that cannot be taken apart, all that it is. */
function relevantFields(workspace: string, path: string): Buffer | string {
  try {
    const manifest = parseManifest(workspace, path) ?? {};
    return JSON.stringify([
      MANIFEST_FIELDS.map((field) => manifest[field] ?? null),
      PROJECT_SCRIPTS.map((script) => scriptOf(manifest, script)),
    ]);
  } catch {
    return contentOf(workspace, path) ?? ''; // no JSON, or nested so deep that it cannot be written again
  }
}

const scriptOf = (manifest: { scripts?: unknown } | undefined, name: string): unknown =>
  (manifest?.scripts as Record<string, unknown> | null | undefined)?.[name] ?? null;

/**
 * The root's, and in a workspace every other one outside of node_modules: too many rather than too few, as each manager
 * has a glob syntax of its own for its members.
 */
function manifestPaths(workspace: string): string[] {
  if (!hasMembers(workspace)) return ['package.json'];
  const paths: string[] = [];
  const folders = [workspace];
  for (const folder of folders) {
    const entries = entriesOf(folder);
    if (entries.some(({ name }) => name === 'package.json'))
      paths.push(relative(workspace, join(folder, 'package.json')));
    const below = entries.filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name));
    if (folders.length < MAX_FOLDERS) folders.push(...below.map(({ name }) => join(folder, name)));
  }
  return paths.toSorted();
}

/** An app may remove a folder meanwhile, or make one that lies deeper than the longest path that the kernel takes. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function hasMembers(workspace: string): boolean {
  if (contentOf(workspace, 'pnpm-workspace.yaml') !== undefined) return true;
  try {
    return parseManifest(workspace, 'package.json')?.workspaces !== undefined;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
