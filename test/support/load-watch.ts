import { readdirSync, readFileSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Station } from './station.js';

const PROBE_INTERVAL_MS = 10;
const SAMPLE_INTERVAL_MS = 25;

export interface Load {
  /** Of GET /health/live, in milliseconds. */
  liveness: { probes: number; p50: number; p99: number; max: number };
  /** How far the server's resident memory went beyond what it was at the beginning. */
  memoryGrowth: number;
  /** The most that the logs took on disk. */
  logBytes: number;
}

/** Watches, until its end, what something costs the server: how late it answers, its memory, and its logs on disk. */
export class LoadWatch {
  private readonly times: number[] = [];
  private readonly memoryBefore: number;
  private mostMemory = 0;
  private mostLog = 0;
  private over = false;
  private readonly done: Promise<unknown>;

  /** With a uid the logs of that repository are watched alone. */
  constructor(
    private readonly station: Station,
    private readonly uid = '',
  ) {
    this.memoryBefore = residentBytes(station);
    this.done = Promise.all([this.probe(), this.sample()]);
  }

  async end(): Promise<Load> {
    this.over = true;
    await this.done;
    const times = this.times.toSorted((one, other) => one - other);
    const at = (share: number) => times[Math.ceil(times.length * share) - 1] ?? Number.NaN;
    return {
      liveness: { probes: times.length, p50: at(0.5), p99: at(0.99), max: at(1) },
      memoryGrowth: this.mostMemory - this.memoryBefore,
      logBytes: this.mostLog,
    };
  }

  private async probe(): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    while (!this.over) {
      const begun = performance.now();
      const status = await answer(`${this.station.url}/health/live`, agent);
      if (status !== 200) throw new Error(`/health/live answered ${status}`);
      this.times.push(performance.now() - begun);
      await delay(PROBE_INTERVAL_MS);
    }
    agent.destroy();
  }

  private async sample(): Promise<void> {
    while (!this.over) {
      this.mostMemory = Math.max(this.mostMemory, residentBytes(this.station));
      this.mostLog = Math.max(this.mostLog, bytesIn(join(this.station.dataDir, 'logs', this.uid)));
      await delay(SAMPLE_INTERVAL_MS);
    }
  }
}

function residentBytes({ pid }: Station): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Of all files below a folder; one that goes meanwhile counts nothing. */
export function bytesIn(folder: string): number {
  const found = attempt(() => readdirSync(folder, { withFileTypes: true }), []);
  return found.reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesIn(path) : attempt(() => statSync(path).size, 0));
  }, 0);
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function answer(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    })
      .once('error', reject)
      .end();
  });
}
