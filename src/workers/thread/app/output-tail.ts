const MAX_BYTES = 64 * 1024;

/** The last 64 kB of what an app has said on both streams, in whole lines and in the order of the log. */
export class OutputTail {
  private readonly lines: string[] = [];
  private bytes = 0;
  private cut = false;

  add(line: string): void {
    this.lines.push(line);
    this.bytes += Buffer.byteLength(line) + 1;
    while (this.bytes > MAX_BYTES) {
      this.bytes -= Buffer.byteLength(this.lines.shift() ?? '') + 1;
      this.cut = true;
    }
  }

  lastLines(count: number): string[] {
    return this.lines.slice(-count);
  }

  /** `truncated`: there was more. */
  read(): { output: string; truncated: boolean } {
    return { output: this.lines.map((line) => `${line}\n`).join(''), truncated: this.cut };
  }
}
