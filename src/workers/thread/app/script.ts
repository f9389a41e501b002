import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import type { PackageManifest } from '../project/manifest.js';

/** What is run when the caller names no script: the first that exists. */
const DEFAULT_SCRIPTS = ['start', 'dev', 'serve'];
const MAX_SHOWN = 100;
/** Linux takes no longer argument, nor `NAME=value` (MAX_ARG_STRLEN): this much leaves room for the name. */
const MAX_SCRIPT_BYTES = 131_000;

export interface Script {
  name: string;
  /** As package.json has it. */
  command: string;
}

/** Own keys of package.json's scripts only. SCRIPT_NOT_FOUND tells which there are; BAD_PACKAGE_JSON. */
export function chooseScript(manifest: PackageManifest, wanted: string | undefined): Script {
  const { scripts } = manifest;
  const names = wanted === undefined ? DEFAULT_SCRIPTS : [wanted];
  const name = names.find((one) => Object.hasOwn(scripts, one));
  const command = name === undefined ? undefined : scripts[name];
  if (name === undefined || command === undefined) throw notFound(names, Object.keys(scripts));
  requireStartable(name, command);
  return { name, command };
}

/** BAD_PACKAGE_JSON for a script that cannot be an argument and a variable of a process, as Linux takes them. */
export function requireStartable(name: string, command: string): void {
  const script = `The script ${shortened(JSON.stringify(name), 100)}`;
  if (`${name}${command}`.includes('\0')) throw new Failure('BAD_PACKAGE_JSON', `${script} contains a NUL character`);
  const bytes = Buffer.byteLength(command);
  if (bytes > MAX_SCRIPT_BYTES)
    throw new Failure('BAD_PACKAGE_JSON', `${script} has ${bytes} bytes, more than ${MAX_SCRIPT_BYTES}`);
}

function notFound(names: string[], scripts: string[]): Failure {
  const shown = names.map((name) => JSON.stringify(name)).join(' or ');
  const some = scripts.slice(0, MAX_SHOWN).map((name) => shortened(name, 100));
  return new Failure('SCRIPT_NOT_FOUND', `package.json has no script ${shown}`, {
    suggestion: scripts.length > 0 ? `Choose one of: ${some.join(', ')}` : 'package.json has no scripts at all.',
    context: { scripts: some },
  });
}
