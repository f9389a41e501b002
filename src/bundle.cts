import fs = require('node:fs');
import path = require('node:path');
import url = require('node:url');
import vm = require('node:vm');

interface Bundle {
  /** Runs it; returns what its entry exports. */
  start(): Record<string, unknown>;
  /** Keeps what V8 has made of it by now. By the build. */
  record(): void;
}

/**
 * Bundled code, from what V8 has made of it at the end of the build: compiling it anew would be a good part of what a
 * start costs. Another Node.js than that of the build does not take that, and compiles.
 */
export function bundle(name: 'station' | 'thread', { isRecording }: { isRecording: boolean }): Bundle {
  const code = path.join(__dirname, `${name}.bundle.js`);
  const compiled = path.join(__dirname, `${name}.compiled`);
  const script = new vm.Script(fs.readFileSync(code, 'utf8'), {
    filename: code,
    ...(!isRecording && fs.existsSync(compiled) && { cachedData: fs.readFileSync(compiled) }),
  });
  type Code = (require: NodeJS.Require, bundleUrl: string) => Record<string, unknown>;
  return {
    start: () => (script.runInThisContext() as Code)(require, url.pathToFileURL(code).href),
    record: () => fs.writeFileSync(compiled, script.createCachedData()),
  };
}
