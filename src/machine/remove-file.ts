import { unlinkSync } from 'node:fs';

/** Removes a file or a link, which is not followed, and no folder. It may be gone already. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
