import type { Readable } from 'node:stream';

/** What comes through these pipes is a number, or a few lines of JSON. */
const MAX_LINE_CHARS = 1_024;

/**
 * The lines of a pipe, one at a time: none is lost while nobody waits for it, and none is read before somebody does. A
 * program inside may get hold of the other end, and write without an end.
 */
export class LineQueue {
  private text = '';
  private isOver = false;
  private wake: () => void = () => undefined;

  constructor(private readonly input: Readable) {
    input.setEncoding('latin1');
    input.on('readable', () => this.wake());
    for (const event of ['end', 'close', 'error']) input.on(event, () => this.close());
  }

  /** Undefined when there will be none any more, or what comes is no line. For one reader at a time. */
  async next(): Promise<string | undefined> {
    for (let line = this.take(); ; line = this.take()) {
      if (line !== undefined) return line;
      if (this.text.length > MAX_LINE_CHARS) this.close();
      if (this.isOver) return undefined;
      const chunk = this.input.read() as string | null;
      if (chunk === null) await new Promise<void>((resolve) => (this.wake = resolve));
      else this.text += chunk;
    }
  }

  /** Whoever writes on does so to nobody. */
  close(): void {
    this.isOver = true;
    this.input.destroy();
    this.wake();
  }

  private take(): string | undefined {
    const end = this.text.indexOf('\n');
    if (end < 0 || end > MAX_LINE_CHARS) return undefined;
    const line = this.text.slice(0, end);
    this.text = this.text.slice(end + 1);
    return line;
  }
}
