import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { MAX_LINE_CHARS } from '../../../contracts/log.js';
import type { OperationThread } from '../operation-thread.js';

const PHASES: [words: RegExp, phase: string][] = [
  [/^(remote: )?(Enumerating|Counting) objects/, 'counting'],
  [/^(remote: )?Compressing objects/, 'compressing'],
  [/^(Receiving|Unpacking) objects/, 'receiving'],
  [/^Resolving deltas/, 'resolving'],
  [/^(Updating|Checking out) files/, 'checkout'],
];

/** Reads what git writes to stderr: its percentages become progress, its lines go into the log without secrets. */
export class GitOutput {
  private rest = '';

  constructor(
    private readonly thread: Pick<OperationThread, 'log' | 'progress'>,
    private readonly redact: (text: string) => string,
  ) {}

  follow(stderr: Readable): void {
    const decoder = new StringDecoder('utf8'); // setEncoding would take its buffers from simple-git, which reads the same stream
    stderr.on('data', (chunk: Buffer) => this.push(decoder.write(chunk)));
    stderr.on('end', () => this.push('\n'));
  }

  private push(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = (lines.pop() ?? '').slice(-MAX_LINE_CHARS);
    // A percentage is overwritten in place: of these lines only the last state is worth keeping.
    const whole = lines.map((line) => line.replace(/\r$/, '').split('\r').at(-1) ?? '').filter(Boolean);
    for (const line of whole) this.tell(line);
    this.tell(this.rest.split('\r').findLast(Boolean) ?? '');
    if (whole.length > 0)
      this.thread.log.write(
        'stderr',
        whole.map((line) => this.redact(line.slice(0, MAX_LINE_CHARS))),
      );
  }

  private tell(line: string): void {
    const phase = PHASES.find(([words]) => words.test(line))?.[1];
    if (!phase) return;
    const percent = /(\d+)%/.exec(line)?.[1];
    this.thread.progress(
      phase,
      percent === undefined ? null : Math.min(Number(percent), 100),
      this.redact(line.trim()),
    );
  }
}
