import { StringDecoder } from 'node:string_decoder';
import { MAX_LINE_CHARS } from '../../contracts/log.js';

/** Cuts a byte stream into lines, never inside a character; a line beyond the maximum is cut and says by how much. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private line = '';
  private cut = 0;

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

  private add(part: string): void {
    let room = this.cut > 0 ? 0 : MAX_LINE_CHARS - this.line.length;
    if (part.length > room && isFirstHalf(part.charCodeAt(room - 1))) room -= 1;
    const kept = part.slice(0, room);
    this.line += kept;
    this.cut += part.length - kept.length;
  }

  private take(): string {
    const text = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    const whole = this.cut === 0 ? text : `${text} [${this.cut} more characters cut]`;
    this.line = '';
    this.cut = 0;
    return whole;
  }
}

/** Of a character that takes two code units. */
const isFirstHalf = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
