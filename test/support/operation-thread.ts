import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LogLine } from '../../src/contracts/log.js';
import type { RepositoryPaths } from '../../src/contracts/operations.js';
import { LogWriter } from '../../src/workers/thread/log-writer.js';
import type { OperationThread } from '../../src/workers/thread/operation-thread.js';
import { killTree } from '../../src/machine/end-tree.js';
import { findTree } from '../../src/machine/process-tree.js';
import { openSandbox } from '../../src/workers/thread/sandbox/open-sandbox.js';
import { UNCONFINED } from './sandbox-plans.js';

/** File name → content; an object is written as JSON. */
export type Files = Record<string, string | object>;

/** What a thread gives to a handler, in the thread of the test: real log, real sandbox, real processes. */
export class TestThread {
  readonly paths: RepositoryPaths;
  readonly progress: string[] = [];
  readonly cancellation = new AbortController();
  private readonly root = mkdtempSync(join(tmpdir(), 'operation-thread-'));
  private readonly marker = `test:${process.pid}:${this.root}`;
  private operations = 0;

  constructor(
    files: Files,
    private readonly plan = UNCONFINED,
  ) {
    this.paths = {
      workspace: join(this.root, 'workspace'),
      home: join(this.root, 'home'),
      staging: join(this.root, 'staging'),
    };
    mkdirSync(this.paths.workspace);
    this.write(files);
  }

  write(files: Files): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.paths.workspace, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  read(name: string): string {
    return readFileSync(join(this.paths.workspace, name), 'utf8');
  }

  /** The thread of the next operation. */
  next(): OperationThread {
    const log = { directory: this.logDirectory(++this.operations), maxBytes: 1_000_000, files: 2 };
    const { paths, marker, plan } = this;
    const context = { operationId: 'op', uid: 'r_1', repoId: 'a', paths, marker, log, sandbox: plan };
    return {
      context,
      log: new LogWriter(log, () => undefined),
      sandbox: openSandbox(plan, context),
      signal: this.cancellation.signal,
      progress: (phase) => void (this.progress.at(-1) === phase || this.progress.push(phase)),
      send: () => undefined,
      keepAlive: () => undefined,
      onStopping: () => undefined,
      checkLimits: async () => undefined,
      anotherPort: async () => null,
      giveBackPort: () => undefined,
    };
  }

  /** What is left of the last operation's output. */
  log(): LogLine[] {
    const directory = this.logDirectory(this.operations);
    if (!existsSync(directory)) return []; // it has said nothing
    const text = readdirSync(directory)
      .toSorted()
      .map((name) => readFileSync(join(directory, name), 'utf8'))
      .join('');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** What the operations have left in the staging folder. */
  staged(): string[] {
    return existsSync(this.paths.staging) ? readdirSync(this.paths.staging) : [];
  }

  liveProcesses(): number {
    return findTree({ marker: this.marker }).length;
  }

  async dispose(): Promise<void> {
    await killTree(() => findTree({ marker: this.marker }));
    execFileSync('rm', ['-rf', this.root]); // which reaches what lies deeper than the longest path
  }

  private logDirectory(operation: number): string {
    return join(this.root, 'logs', String(operation));
  }
}
