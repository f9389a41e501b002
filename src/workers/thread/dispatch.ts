import type { ThreadOperation } from '../../contracts/operations.js';
import type { Handler } from './operation-thread.js';
import { clone } from './operations/clone.js';
import { install } from './operations/install.js';
import { recover } from './operations/recover.js';
import { run } from './operations/run.js';
import { settle } from './operations/settle.js';
import { status } from './operations/status.js';
import { stop } from './operations/stop.js';
import { unload } from './operations/unload.js';
import { update } from './operations/update.js';

/** All that a thread can be told has its handler, or this does not compile. */
export const HANDLERS: { [K in ThreadOperation]: Handler<K> } = {
  clone,
  install,
  update,
  settle,
  run,
  stop,
  status,
  unload,
  recover,
};
