import { Failure } from '../../contracts/failure.js';
import type { LimitCode } from '../../contracts/failure-codes.js';

const WHAT: Record<LimitCode, (amount: number) => string> = {
  OUT_OF_MEMORY: (amount) => `${amount} MiB of memory`,
  TOO_MANY_PROCESSES: (amount) => `${amount} processes and threads`,
  DISK_QUOTA: (amount) => `${amount} MiB of disk`,
};

/** Says which limit an operation or an app has broken, and by how much. */
export function brokenLimit(code: LimitCode, used: number, limit: number, say = WHAT[code]): Failure {
  const message = `It uses ${say(used)}, and ${say(limit)} are its limit`;
  return new Failure(code, message, { context: { used, limit } });
}
