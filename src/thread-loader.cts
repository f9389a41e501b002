import fs = require('node:fs');
import path = require('node:path');
import vm = require('node:vm');
import threads = require('node:worker_threads');

/**
 * The entry of a thread: starts its bundled code from what V8 has made of it at the end of the build, as compiling it anew
 * would be nearly half of what the start of a thread costs. Another Node.js than that of the build does not take it, and
 * compiles.
 */
const code = path.join(__dirname, 'thread.js');
const compiled = path.join(__dirname, 'thread.compiled');
/** By the build, which goes no further. */
const isRecording = threads.workerData === 'record';

const script = new vm.Script(fs.readFileSync(code, 'utf8'), {
  filename: code,
  ...(!isRecording && fs.existsSync(compiled) && { cachedData: fs.readFileSync(compiled) }),
});
(script.runInThisContext() as (require: NodeJS.Require) => void)(require);

if (isRecording) {
  fs.writeFileSync(compiled, script.createCachedData());
  process.exit();
}
