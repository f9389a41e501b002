import type { RepoEvent, RepoProgress } from '../src/contracts/events.js';

/** What is worth a line of each result; the rest stands in the API documentation. */
const SHOWN: Record<string, string[]> = {
  clone: ['repoId', 'branch', 'commit'],
  install: ['packageManager', 'node', 'frozen', 'warnings'],
  run: ['url', 'pid', 'readiness', 'command'],
  visit: ['url', 'status', 'page'],
  status: ['state', 'diskBytes', 'process'],
  stop: ['exitCode', 'signal', 'forced'],
  unload: ['appStopped', 'freedBytes'],
};

/** Of a terminal that does not know its own width. */
const DEFAULT_COLUMNS = 80;

/** Tells on the terminal what happens, with a live line where the output is one. */
export class Narrator {
  private startedAt = 0;
  private lastPhase: string | null = null;
  private readonly live = process.stdout.isTTY;

  title(text: string): void {
    this.say(`\n${text}\n`);
  }

  say(text: string): void {
    this.clearLine();
    process.stdout.write(`${text}\n`);
  }

  begin(name: string): void {
    this.startedAt = performance.now();
    this.lastPhase = null;
    this.say(`▸ ${name}`);
  }

  progress({ phase, percent, message }: RepoProgress): void {
    const text = `    ${[percent === null ? '' : `${Math.round(percent)} %`, phase, message].filter(Boolean).join(' · ')}`;
    if (this.live) {
      this.clearLine();
      process.stdout.write(text.slice(0, (process.stdout.columns || DEFAULT_COLUMNS) - 1));
    } else if (phase !== this.lastPhase) {
      this.say(text);
    }
    this.lastPhase = phase;
  }

  event({ type, state, previousState }: RepoEvent): void {
    this.say(type === 'state' ? `    ${previousState ?? 'new'} → ${state}` : `    ${type}`);
  }

  end(name: string, result: object): void {
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(1);
    const shown = Object.entries(result).filter(([field]) => SHOWN[name]?.includes(field));
    this.say(`✔ ${name} (${seconds} s)`);
    for (const [field, value] of shown) this.say(`    ${field}: ${describe(value)}`);
  }

  fail(error: unknown): void {
    this.say(`✘ ${error instanceof Error ? error.message : String(error)}`);
  }

  private clearLine(): void {
    if (this.live) process.stdout.write('\r\u001b[K');
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  const choice = value as { used?: string; version?: string; why?: string } | null;
  if (choice?.why !== undefined) return `${[choice.used, choice.version].filter(Boolean).join(' ')} (${choice.why})`;
  return JSON.stringify(value);
}
