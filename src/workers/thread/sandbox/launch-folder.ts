import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ThreadContext } from '../../../contracts/worker-messages.js';
import { removeFolders } from '../../../machine/remove-folders.js';
import { NAME_SERVER } from './private-network.js';
import type { SandboxContext } from './sandbox.js';
import { syscallFilter } from './syscall-filter.js';

/** Files of /etc that are made for a sandbox; with a network of its own it asks another name server. */
const MADE = ['passwd', 'group', 'hosts'];

/** Linux takes no longer one. */
export const hostnameOf = (repoId: string): string => repoId.slice(0, 63);

/** Beside the staging folders, which a server that was killed clears at its next start. */
export const launchFolderOf = ({ paths, operationId }: Pick<ThreadContext, 'paths' | 'operationId'>): string =>
  join(dirname(paths.staging), `.launch-${operationId}`);

export async function removeLaunchFolder(context: Pick<ThreadContext, 'paths' | 'operationId'>): Promise<void> {
  await removeFolders([launchFolderOf(context)]).catch(() => undefined); // the next start of the server sees to it
}

/**
 * What the sandboxes of one operation need on disk. A sandbox sees single files of it, and cannot change them; `temporary`
 * is theirs.
 */
export class LaunchFolder {
  readonly path: string;
  private isMade = false;

  constructor(
    private readonly context: SandboxContext,
    private readonly user: number,
  ) {
    this.path = launchFolderOf(context);
  }

  get temporary(): string {
    return join(this.path, 'tmp');
  }

  get empty(): string {
    return join(this.path, 'empty');
  }

  /** Which files stand for those of /etc. */
  etcFiles(isPrivate: boolean): { path: string; target: string }[] {
    const resolver = {
      path: join(this.path, isPrivate ? 'resolv.private' : 'resolv.shared'),
      target: '/etc/resolv.conf',
    };
    return [...MADE.map((name) => ({ path: join(this.path, name), target: `/etc/${name}` })), resolver];
  }

  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** What the kernel is told to refuse, to be closed; undefined where nothing is. */
  openFilter(): number | undefined {
    const filter = syscallFilter();
    return filter && openSync(this.write('filter', filter), 'r');
  }

  async remove(): Promise<void> {
    if (this.isMade) await removeLaunchFolder(this.context);
  }

  make(): void {
    if (this.isMade) return;
    this.isMade = true;
    const { paths, repoId } = this.context;
    const own = `app:x:${this.user}:`;
    mkdirSync(this.temporary, { recursive: true });
    chmodSync(this.path, 0o755); // the user of the sandbox reaches sockets in here
    this.write(
      'passwd',
      `root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n${own}${this.user}::${paths.home}:/bin/sh\n`,
    );
    this.write('group', `root:x:0:\nnogroup:x:65534:\n${own}\n`);
    this.write('empty', '');
    this.write(
      'hosts',
      `${contentOf('/etc/hosts') || '127.0.0.1 localhost\n::1 localhost'}\n127.0.1.1 ${hostnameOf(repoId)}\n`,
    );
    this.write('resolv.shared', contentOf('/etc/resolv.conf'));
    this.write('resolv.private', `nameserver ${NAME_SERVER}\n`);
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // there is none on this machine
  }
}
