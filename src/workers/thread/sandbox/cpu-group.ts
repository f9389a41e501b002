import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuoted } from '../shell-quoted.js';

/** The cgroup that gives a repository its share of the processor. */
export class CpuGroup {
  constructor(private readonly folder: string) {}

  /** Takes a process in that has just been started: what it starts is in as well. It may have ended already. */
  take(pid: number | undefined): void {
    if (pid === undefined) return;
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(join(this.folder, 'cgroup.procs'), String(pid));
    } catch {
      // A share is a comfort: nothing is refused for want of it.
    }
  }

  /** For a shell: the command that takes it in. */
  get shellCommand(): string {
    const folder = shellQuoted(this.folder);
    return `{ mkdir -p ${folder}; echo $$ >${folder}/cgroup.procs; } 2>/dev/null\n`;
  }

  /** Unless another operation or the app of the repository is still in it. */
  remove(): void {
    try {
      rmdirSync(this.folder);
    } catch {
      // The next one removes it, at the latest the unload.
    }
  }
}
