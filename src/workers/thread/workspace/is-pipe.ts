import { statSync } from 'node:fs';

/** Whether whoever reads it waits for somebody who writes: a named pipe, or a link to one. */
export function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false; // it is not there, or nobody can reach it
  }
}
