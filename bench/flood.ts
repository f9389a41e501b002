import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine } from '../src/contracts/log.js';
import { packageJson, programs } from '../test/support/fixtures.js';
import { GitServer } from '../test/support/git-server.js';
import { LoadWatch, type Load } from '../test/support/load-watch.js';
import { Station } from '../test/support/station.js';
import { sharedToolchains } from '../test/support/temporary-folder.mjs';

/**
 * `npm run bench:flood`: what an app that writes at full pipe speed costs the server, alone and with a reader on a
 * socket. Fails where one of the limits that the station promises does not hold.
 */
const FLOOD_MS = Number(process.env.FLOOD_MS ?? 10_000);
const MIB = 1024 * 1024;
/** On disk: the budget of a repository, and a tenth more while room is being made. */
const LIMITS = { livenessMs: 100, memoryBytes: 100 * MIB, logBytes: 33 * MIB };

const ms = (value: number) => `${value.toFixed(1)} ms`;
const mib = (value: number) => `${(value / MIB).toFixed(1)} MiB`;
const print = (text: string) => void process.stdout.write(`${text}\n`);

async function measure(station: Station, repoId: string, script: string, followed: boolean): Promise<void> {
  const socket = await station.socket();
  if (followed) await new Promise((resolve) => socket.emit('repo-subscribe', { repoId }, resolve));
  await station.run(repoId, { script, readyTimeoutMs: 0 });
  await station.stop(repoId); // what is loaded once only is loaded
  const watch = new LoadWatch(station);
  await station.run(repoId, { script, readyTimeoutMs: 0 });
  await delay(FLOOD_MS);
  const load = await watch.end();
  const logs = await station.api<{ lines: LogLine[] }>('GET', `/repo/${repoId}/logs?tail=1`);
  await station.stop(repoId);
  socket.close();
  report(`${script}${followed ? ', followed' : ''}`, load, logs.body.result.lines[0]?.seq ?? 0);
}

function report(name: string, { liveness, memoryGrowth, logBytes }: Load, lines: number): void {
  print(`${name}: ${lines} lines in ${FLOOD_MS} ms`);
  print(`  /health/live  p50 ${ms(liveness.p50)}  p99 ${ms(liveness.p99)}  max ${ms(liveness.max)}`);
  print(`  memory +${mib(memoryGrowth)}   logs on disk at most ${mib(logBytes)}`);
  if (liveness.max > LIMITS.livenessMs || memoryGrowth > LIMITS.memoryBytes || logBytes > LIMITS.logBytes) {
    print('  beyond the limits');
    process.exitCode = 1;
  }
}

/** What else goes on on this machine shows in these figures, too. */
async function measureIdle(station: Station): Promise<void> {
  const watch = new LoadWatch(station);
  await delay(FLOOD_MS);
  report('idle', await watch.end(), 0);
}

const git = await GitServer.start();
const station = await Station.start({ allowedHosts: [git.host] });
try {
  const scripts = {
    lines: 'yes a line as long as those that servers usually write about a request',
    anything: 'node floods-with-anything.js',
  };
  const files = { 'package.json': packageJson(scripts, { type: 'module' }), ...programs() };
  const { url } = await git.createRepository('bench/flood', { files });
  const { repoId } = (await station.clone(url)).body;
  await measureIdle(station);
  for (const script of Object.keys(scripts)) {
    for (const followed of [false, true]) await measure(station, repoId, script, followed);
  }
} finally {
  await station.close();
  await git.close();
  await rm(sharedToolchains(), { recursive: true, force: true });
}
