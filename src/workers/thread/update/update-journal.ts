import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile } from '../../../machine/remove-file.js';
import type { MovedTree } from '../git/put-tree-back.js';

/** What an update was about to change, written down before it did: from this it is undone, by the next server if need be. */
export interface UpdateJournal {
  operationId: string;
  /** Whether a running app was to be restarted. */
  restarts: boolean;
  moved: MovedTree;
}

/** All that it takes to undo an update, beside what other operations have in the staging folder. */
export const updateFolder = (staging: string): string => join(staging, 'update');

const fileIn = (staging: string): string => join(updateFolder(staging), 'journal.json');

export function writeJournal(staging: string, journal: UpdateJournal): void {
  mkdirSync(updateFolder(staging), { recursive: true });
  writeWhole(fileIn(staging), JSON.stringify(journal));
}

/** Undefined when no update of this repository waits for its end. */
export function readJournal(staging: string): UpdateJournal | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(staging), 'utf8')) as UpdateJournal;
  } catch {
    return undefined; // it is written whole or not at all
  }
}

/** First of all that is kept: the update is settled. */
export function removeJournal(staging: string): void {
  removeFile(fileIn(staging));
}

/** On disk before anything else happens. */
export function writeWhole(file: string, text: string): void {
  const next = `${file}.next`;
  writeFileSync(next, text, { mode: 0o600 });
  const descriptor = openSync(next, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(next, file);
}
