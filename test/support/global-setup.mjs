import { beginRun } from './temporary-folder.mjs';

/** Names the run before the first worker starts and inherits the name. */
export default function globalSetup() {
  beginRun();
}
