const MAX_BYTES = 64 * 1024;

/** The last 64 kB of what an app has said on both streams, in whole lines and in the order of the log. */
export class OutputTail {
  private readonly lines: string[] = [];
  private bytes = 0;
  private cut = false;

  add(line: string): void {
    this.lines.push(line);
    this.bytes += Buffer.byteLength(line) + 1;
    if (this.bytes > 2 * MAX_BYTES) this.trim(); // not at every line: a flood of empty ones would move 64 k of them each time
  }

  lastLines(count: number): string[] {
    return this.lines.slice(-count);
  }

  /** `truncated`: there was more. */
  read(): { output: string; truncated: boolean } {
    this.trim();
    return { output: this.lines.map((line) => `${line}\n`).join(''), truncated: this.cut };
  }

  private trim(): void {
    let gone = 0;
    while (this.bytes > MAX_BYTES) this.bytes -= Buffer.byteLength(this.lines[gone++] ?? '') + 1;
    this.lines.splice(0, gone);
    this.cut ||= gone > 0;
  }
}
