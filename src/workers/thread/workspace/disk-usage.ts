import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** What folders and files really take on disk, in bytes: links are not followed, and hard links count once. */
export async function diskUsage(roots: string[]): Promise<number> {
  const counted = new Set<number>();
  let bytes = 0;
  const pending = [...roots];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stats = await ifThere(lstat(path));
    if (!stats || (stats.nlink > 1 && !stats.isDirectory() && counted.has(stats.ino))) continue;
    if (stats.nlink > 1) counted.add(stats.ino);
    bytes += stats.blocks * BLOCK_BYTES;
    if (stats.isDirectory()) pending.push(...(await childrenOf(path)));
  }
  return bytes;
}

async function childrenOf(folder: string): Promise<string[]> {
  const names = (await ifThere(readdir(folder))) ?? [];
  return names.map((name) => join(folder, name));
}

/** A running app makes and removes files meanwhile. */
async function ifThere<T extends Stats | string[]>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch {
    return undefined;
  }
}
