import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxMachine } from '../../../contracts/sandbox-plan.js';

/**
 * A folder that every user can reach, of empty folders and files: only in the mount namespace of a sandbox something is
 * mounted on them. They are there already but for the first time, as each process more costs a start some milliseconds.
 */
const REACHABLE = '/run/docking-station';

/** When the machine runs out of memory the kernel takes what is in a sandbox before it takes the server. */
export const FIRST_TO_GO = 1_000;

/**
 * How much less of the processor it gets than the server where both want it: a tenth. Nobody in a sandbox can take that
 * back. It counts within one cgroup, and where the kernel makes no group of its own for each session.
 */
const NICENESS = 10;

/**
 * As root: says whom to take first, which no other user can take back, mounts each path up to `--` on the place that follows
 * it, and goes on.
 */
const MOUNT_PATHS = `set -e
umask 022
echo ${FIRST_TO_GO} >/proc/self/oom_score_adj || :
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then
    [ -d "$2" ] || mkdir -p "$2"
  else
    [ -d ${REACHABLE} ] || mkdir -p ${REACHABLE}
    [ -e "$2" ] || : > "$2"
  fi
  mount --bind "$1" "$2"
  shift 2
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

const placeName = (own: string, index: number): string =>
  statSync(own, { throwIfNoEntry: false })?.isDirectory() ? `${index}` : `${index}.file`;

/**
 * What comes before bwrap. Each link execs the next, so that the whole is one process for whoever started it, and dies
 * with the thread that did.
 */
export class LaunchChain {
  private readonly places: { own: string; place: string }[];

  /** `paths`: what the station keeps in folders that other users cannot enter. */
  constructor(
    private readonly machine: Pick<SandboxMachine, 'user'>,
    paths: string[],
  ) {
    this.places = paths.map((own, index) => ({ own, place: join(REACHABLE, placeName(own, index)) }));
  }

  /** bwrap as an unprivileged user cannot mount from below a folder that is closed to it. */
  sourceOf = (path: string): string => {
    if (this.machine.user === undefined) return path;
    const found = this.places
      .filter(({ own }) => path === own || path.startsWith(`${own}/`))
      .toSorted((a, b) => b.own.length - a.own.length)[0];
    return found ? found.place + path.slice(found.own.length) : path;
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
      ...this.places.flatMap(({ own, place }) => [own, place]),
      '--',
    ];
    return ['nice', '-n', String(NICENESS), ...(this.machine.user === undefined ? [] : mounts), ...this.asUser];
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
