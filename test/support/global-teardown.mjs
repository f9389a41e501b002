import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine, processesMentioning } from './processes.mjs';
import { runPrefix, sharedToolchains } from './temporary-folder.mjs';

/** Fails the run when it has left a process or a temporary folder behind, and removes them. */
export default function globalTeardown() {
  rmSync(sharedToolchains(), { recursive: true, force: true });
  const processes = processesMentioning(runPrefix());
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(runPrefix()));
  const left = [...processes.map((pid) => `process ${pid}: ${commandLine(pid)}`), ...folders];
  for (const pid of processes) process.kill(pid, 'SIGKILL');
  for (const folder of folders) rmSync(join(tmpdir(), folder), { recursive: true, force: true });
  if (left.length > 0) throw new Error(`The tests have left behind:\n${left.join('\n')}`);
}
