import { beginRun } from './temporary-folder.js';

/** Names the run before the first worker starts and inherits the name. */
export default function globalSetup(): void {
  beginRun();
}
