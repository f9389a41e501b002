import { constants } from 'node:os';
import type { ProcessExit } from './sandbox.js';

/** How a command has ended by the exit status of the shell in front of it, which tells a signal as 128 and its number. */
export function exitOfStatus(status: number): ProcessExit {
  const signals = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const signal = signals.find(([, number]) => number === status - 128)?.[0];
  return signal ? { exitCode: null, signal } : { exitCode: status, signal: null };
}
