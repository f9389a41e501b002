import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { RepositoryPaths } from '../../../contracts/operations.js';
import type { SandboxMachine } from '../../../contracts/sandbox-plan.js';
import type { CommandPurpose } from './sandbox.js';

/** Where programs and libraries are on a Linux system; some of these are links into /usr. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Of /etc what programs need to work, and nothing that an administrator may keep secrets in. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'pki',
  'ssl',
  'debian_version',
  'os-release',
  'lsb-release',
  'fonts',
  'gai.conf',
  'host.conf',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'locale.alias',
  'mime.types',
  'nsswitch.conf',
  'protocols',
  'services',
  'timezone',
];

const SHOWN = [...SYSTEM, ...ETC.map((name) => `/etc/${name}`)];

/** Tells the names of the keys in the keyring of the server's session. */
const KEYS = '/proc/keys';

/** In RAM: without a bound it could fill all of it. Bytes. */
const SHARED_MEMORY_BYTES = 256 * 1024 * 1024;
const SMALL_BYTES = 64 * 1024 * 1024;

export interface MountOptions {
  purpose: CommandPurpose;
  paths: RepositoryPaths;
  machine: SandboxMachine;
  /** What /tmp is for everything but git, as the host sees it. Not below a folder that is writable inside: it may be a link then. */
  temporary: string;
  /** An empty file, which lies over those that are hidden: a device would do in its place, but cannot be opened inside. */
  empty: string;
  /** Where a path of the host is to be mounted from: a station started as root makes its own ones reachable elsewhere. */
  sourceOf(path: string): string;
}

/** What bwrap is told to mount, in this order: later ones lie above earlier ones. The file system is otherwise empty. */
export function mountArguments({ purpose, paths, machine, temporary, empty, sourceOf }: MountOptions): string[] {
  const mountTemporary = (path: string) =>
    purpose === 'git' ? ['--size', String(SMALL_BYTES), '--tmpfs', path] : ['--bind', sourceOf(temporary), path];
  return [
    ...SYSTEM.flatMap(systemFolder),
    ...ETC.map((name) => `/etc/${name}`).flatMap((path) => ['--ro-bind-try', path, path]),
    '--proc',
    '/proc',
    ...(existsSync(KEYS) ? cover(KEYS, sourceOf(empty)) : []),
    '--dev',
    '/dev',
    '--size',
    String(SHARED_MEMORY_BYTES),
    '--tmpfs',
    '/dev/shm',
    ...['/tmp', '/var/tmp'].flatMap(mountTemporary),
    '--dir',
    '/run',
    ...machine.hidden.filter(isVisible).flatMap((path) => cover(path, sourceOf(empty))),
    ...toRead(purpose, paths, machine).flatMap((path) => ['--ro-bind', sourceOf(path), path]),
    ...toWrite(purpose, paths).flatMap((path) => ['--bind', sourceOf(path), path]),
  ];
}

/** The paths of the host that have to be mounted from somewhere else when their folders are closed to other users. */
export const ownPaths = (purpose: CommandPurpose, paths: RepositoryPaths, machine: SandboxMachine): string[] => [
  ...toWrite(purpose, paths),
  ...toRead(purpose, paths, machine),
];

const toWrite = (purpose: CommandPurpose, { workspace, home, staging }: RepositoryPaths): string[] =>
  [workspace, purpose === 'git' ? join(staging, 'tree') : home].filter((path) => existsSync(path));

/**
 * What the system's own folders do not show already. git may write nothing in the staging folder but a clone: by an app that
 * exchanges folders for links it can be led there, to where the station keeps what it goes by.
 */
const toRead = (
  purpose: CommandPurpose,
  { staging }: RepositoryPaths,
  { readable, hidden }: SandboxMachine,
): string[] => [
  ...[...new Set(readable)].filter((path) => existsSync(path) && (!isShown(path) || isBelow(path, hidden))),
  ...(purpose === 'git' && existsSync(staging) ? [staging] : []),
];

/** After all other mounts: nothing may be written into the folders that bwrap has made in RAM. */
export const CLOSING = ['--remount-ro', '/dev', '--remount-ro', '/'];

function systemFolder(path: string): string[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return [];
  return stats.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

const cover = (path: string, empty: string): string[] =>
  lstatSync(path).isDirectory() ? ['--tmpfs', path] : ['--ro-bind', empty, path];

/** Whether it lies in what is mounted of the system: a station installed below /usr, as in many containers. */
const isVisible = (path: string): boolean => existsSync(path) && isBelow(path, SHOWN);

/** By this very path: a link that lies elsewhere does not lead there inside. */
const isShown = (path: string): boolean =>
  isVisible(path) && SHOWN.some((folder) => path === folder || path.startsWith(folder + sep));

const isBelow = (path: string, folders: string[]): boolean =>
  folders.some((folder) => existsSync(folder) && `${realpathSync(path)}/`.startsWith(realpathSync(folder) + sep));
