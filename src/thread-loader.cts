import threads = require('node:worker_threads');
import { bundle } from './bundle.cjs';

/** The entry of a thread. */
const isRecording = threads.workerData === 'record';
const thread = bundle('thread', { isRecording });
thread.start();
if (isRecording) {
  thread.record();
  process.exit();
}
