import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The lines of a pipe, one at a time: none is lost while nobody waits for it. */
export class LineQueue {
  private readonly lines: string[] = [];
  private isOver = false;
  private wake: () => void = () => undefined;

  constructor(input: Readable) {
    const reader = createInterface({ input });
    reader.on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    reader.once('close', () => {
      this.isOver = true;
      this.wake();
    });
    input.on('error', () => reader.close());
  }

  /** Undefined when there will be none any more. For one reader at a time. */
  async next(): Promise<string | undefined> {
    while (this.lines.length === 0 && !this.isOver) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.lines.shift();
  }
}
