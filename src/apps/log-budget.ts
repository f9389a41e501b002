import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from '../contracts/log.js';
import type { LogReader } from './log-reader.js';

/** In the order in which their segments go. */
const STANDINGS = ['finished', 'writing', 'failed'] as const;
/** Of an operation or run: what its log is worth when there is not room for all. */
export type LogStanding = (typeof STANDINGS)[number];

/** Of the budget, which is kept free for each log that is being written. */
const WRITING_SHARE = 0.1;

interface Segment {
  operationId: string;
  path: string;
  bytes: number;
  writtenAt: number;
  /** The one that a log being written is growing in. */
  isLast: boolean;
}

/**
 * Keeps all logs of one repository together within a number of bytes: the oldest segments go first, those of failed
 * operations last, and never the one that is being written. What remains of a log that is gone is how long it was.
 */
export class LogBudget {
  /** `folder` holds `<uid>/<operationId>/`. */
  constructor(
    private readonly folder: string,
    private readonly reader: LogReader,
    private readonly maxBytes: number,
  ) {}

  /**
   * With no more than `maxBytes` in all. Also makes some room for each log that is being written, to be used until this is done again; resolves with how many
   * bytes that is for each. `standings` is asked when it is known which logs there are.
   */
  async enforce(
    uid: string,
    standings: () => Promise<(operationId: string) => LogStanding>,
    maxBytes = this.maxBytes,
  ): Promise<number> {
    const room = Math.floor(maxBytes * WRITING_SHARE);
    const segments = await this.segments(uid);
    const standingOf = await standings();
    const isGrowing = ({ operationId, isLast }: Segment) => isLast && standingOf(operationId) === 'writing';
    let needed = sum(segments.map((segment) => segment.bytes + (isGrowing(segment) ? room : 0)));
    const removable = segments.filter((segment) => segment.bytes > 0 && !isGrowing(segment));
    for (const segment of inOrderOfRemoval(removable, standingOf)) {
      if (needed <= maxBytes) break;
      await this.remove(uid, segment);
      needed -= segment.bytes;
    }
    return room;
  }

  private async remove(uid: string, { operationId, path, isLast }: Segment): Promise<void> {
    if (isLast) {
      const { nextCursor } = await this.reader.tail(uid, operationId, 0);
      const empty = join(this.folder, uid, operationId, segmentName(Number(nextCursor) + 1));
      // A full disk may have no room for it: the log is then as if it had never been.
      await writeFile(empty, '').catch(() => undefined);
    }
    await rm(path, { force: true });
  }

  private async segments(uid: string): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (const operationId of await namesIn(join(this.folder, uid))) {
      const directory = join(this.folder, uid, operationId);
      const paths = (await namesIn(directory)).toSorted().map((name) => join(directory, name));
      for (const path of paths) {
        const found = await stat(path).catch(() => undefined); // rotated away meanwhile
        if (!found) continue;
        segments.push({
          operationId,
          path,
          bytes: found.size,
          writtenAt: found.mtimeMs,
          isLast: path === paths.at(-1),
        });
      }
    }
    return segments;
  }
}

function inOrderOfRemoval(segments: Segment[], standingOf: (operationId: string) => LogStanding): Segment[] {
  const rank = ({ operationId }: Segment) => STANDINGS.indexOf(standingOf(operationId));
  return segments.toSorted((one, other) => rank(one) - rank(other) || one.writtenAt - other.writtenAt);
}

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
