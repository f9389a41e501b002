import { StringDecoder } from 'node:string_decoder';
import { MAX_LINE_CHARS } from '../../contracts/log.js';

/**
 * Cuts a byte stream into lines, never inside a character; a line beyond the maximum is cut and says by how much. As on
 * a terminal, what follows a carriage return takes the place of what stood before it: of a progress bar the last state.
 */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private line = '';
  private cut = 0;
  private returned = false;

  push(chunk: Buffer): string[] {
    return this.split(this.decoder.write(chunk));
  }

  end(): string[] {
    const lines = this.split(this.decoder.end());
    return this.line || this.cut ? [...lines, this.take()] : lines;
  }

  private split(text: string): string[] {
    const parts = text.split('\n');
    const lines: string[] = [];
    parts.forEach((part, index) => {
      this.add(part);
      if (index < parts.length - 1) lines.push(this.take());
    });
    return lines;
  }

  private add(text: string): void {
    let end = text.length;
    while (text.charAt(end - 1) === '\r') end -= 1;
    // Those at the end may belong to the line's end, or else to what comes in the next chunk.
    if (end > 0) this.append(text.slice(0, end));
    this.returned ||= end < text.length;
  }

  private append(text: string): void {
    const begin = text.lastIndexOf('\r') + 1;
    if (begin > 0 || this.returned) this.begin();
    const part = text.slice(begin);
    let room = this.cut > 0 ? 0 : MAX_LINE_CHARS - this.line.length;
    if (part.length > room && isFirstHalf(part.charCodeAt(room - 1))) room -= 1;
    const kept = part.slice(0, room);
    this.line += kept;
    this.cut += part.length - kept.length;
  }

  private take(): string {
    const whole = this.cut === 0 ? this.line : `${this.line} [truncated: ${this.cut} more characters]`;
    this.begin();
    return whole;
  }

  private begin(): void {
    this.line = '';
    this.cut = 0;
    this.returned = false;
  }
}

/** Of a character that takes two code units. */
const isFirstHalf = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
