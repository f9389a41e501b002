import { isSameProcess, type ProcessIdentity } from '../contracts/process-tree.js';
import { readProc } from './read-proc.js';

/** For what a shell has still to do when the last of its commands has ended: to end as well. */
export const LAST_STEPS_MS = 500;

type Member = ProcessIdentity & { ppid: number };

/**
 * The shell that the station has put in front of a script. Its exit status tells how the app has ended, and would tell of
 * a SIGTERM of its own instead: so it is asked to end only when it does not do so by itself, because it goes on to another
 * command or waits for something else than its commands.
 */
export class FrontShell {
  private others: Member[] | undefined;
  private aloneSince: number | undefined;

  constructor(private readonly command: ProcessIdentity | undefined) {}

  /** Whether `member` is that shell, and must not be asked to end yet. */
  isSpared(member: Member, members: Member[]): boolean {
    if (!this.command || !isSameProcess(member, this.command) || !isPlainShell(member)) return false;
    const others = members.filter((one) => one !== member);
    const first = (this.others ??= others);
    const added = others.filter((one) => !first.some((other) => isSameProcess(one, other)));
    if (first.length === 0 || added.some(({ ppid }) => ppid === member.pid)) return false;
    if (added.length < others.length) return true;
    this.aloneSince ??= Date.now();
    return Date.now() - this.aloneSince < LAST_STEPS_MS;
  }
}

const SIGTERM = 15n;

/** Whether it is still the shell, and not the program that it was replaced with; and whether SIGTERM would just end it. */
function isPlainShell({ pid }: ProcessIdentity): boolean {
  if (readProc(`/proc/${pid}/cmdline`)?.startsWith('/bin/sh\0-c\0') !== true) return false;
  const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)/m.exec(readProc(`/proc/${pid}/status`) ?? '') ?? [];
  return ((BigInt(`0x${caught}`) >> (SIGTERM - 1n)) & 1n) === 0n;
}
