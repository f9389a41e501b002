import type { SandboxMachine } from '../../../contracts/sandbox-plan.js';

/** A folder that every user can reach; only a mount namespace of the sandbox's own ever has something in it. */
const REACHABLE = '/run/docking-station';

/** As root: mounts each path up to `--` below the reachable folder, in order, and goes on. */
const MOUNT_PATHS = `set -e
[ -d ${REACHABLE} ] || mkdir -p ${REACHABLE}
mount -t tmpfs -o mode=0755,size=1m tmpfs ${REACHABLE}
n=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir ${REACHABLE}/$n; else : > ${REACHABLE}/$n; fi
  mount --bind "$1" ${REACHABLE}/$n
  n=$((n + 1)); shift
done
shift
exec "$@"`;

/** Tells its pid, waits for the word that the network is there, closes its roads, and goes on inside of it. */
const HOLD_NETWORK = `echo $$ >&6
read -r _ <&4 || exit 1
printf '%s\\n' "$1" | ip -batch - || exit 1
shift
exec 4<&-
exec "$@"`;

/**
 * What comes before bwrap. Each link execs the next, so that the whole is one process for whoever started it, and dies
 * with the thread that did.
 */
export class LaunchChain {
  /** `paths`: what the station keeps in folders that other users cannot enter. */
  constructor(
    private readonly machine: Pick<SandboxMachine, 'user'>,
    private readonly paths: string[],
  ) {}

  /** bwrap as an unprivileged user cannot mount from below a folder that is closed to it. */
  sourceOf = (path: string): string => {
    if (this.machine.user === undefined) return path;
    const found = this.paths
      .map((own, index) => ({ own, index }))
      .filter(({ own }) => path === own || path.startsWith(`${own}/`))
      .toSorted((a, b) => b.own.length - a.own.length)[0];
    return found ? `${REACHABLE}/${found.index}${path.slice(found.own.length)}` : path;
  };

  /** Without a network of its own. */
  get start(): string[] {
    const mounts = [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      '/bin/sh',
      '-c',
      MOUNT_PATHS,
      'sh',
      ...this.paths,
      '--',
    ];
    return [...(this.machine.user === undefined ? [] : mounts), ...this.asUser];
  }

  /** Within a network of its own, with these `ip route` commands. Its pid comes on descriptor 6, the word to go on is read from 4. */
  startWithNetwork(routes: string[]): string[] {
    const network = ['unshare', '--user', '--map-root-user', '--net', '--kill-child=KILL', '--fork'];
    return [...this.start, ...network, '/bin/sh', '-c', HOLD_NETWORK, 'sh', routes.join('\n')];
  }

  /** As the user of the sandbox, ended with the thread: the signal is asked for last, a change of user takes it back. */
  get asUser(): string[] {
    const { user } = this.machine;
    const change = user === undefined ? [] : ['--reuid', String(user), '--regid', String(user), '--clear-groups'];
    return ['setpriv', ...change, '--pdeathsig', 'KILL'];
  }
}
