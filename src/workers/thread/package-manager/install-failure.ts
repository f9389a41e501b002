import type { FailureCode } from '../../../contracts/failure-codes.js';
import { Failure } from '../../../contracts/failure.js';
import type { CommandEnd } from '../run-command.js';
import type { InstallWatch } from './install-watch.js';
import type { Symptom } from './install-symptoms.js';

/** The more telling first. */
const CODES: [Symptom, FailureCode][] = [
  ['no-space', 'NO_SPACE'],
  ['out-of-memory', 'OUT_OF_MEMORY'],
  ['unknown-protocol', 'PACKAGE_MANAGER_UNAVAILABLE'],
  ['engine-mismatch', 'ENGINE_MISMATCH'],
  ['registry-unreachable', 'REGISTRY_UNREACHABLE'],
];

const SUGGESTIONS: Partial<Record<Symptom, string>> = {
  'no-compiler':
    'A native module has to be compiled: install a C++ compiler, make and Python on the station, or use a version of the module that has prebuilt binaries.',
  'engine-mismatch': 'Change engines in the repository, or the engine-strict setting that makes them binding.',
  'unknown-protocol': 'Install with the package manager that made this workspace: pass packageManager.',
};

/** Why an install failed, by what its output has shown. */
export function installFailure(command: string, end: CommandEnd, watch: InstallWatch, lastLines: string[]): Failure {
  const found = CODES.find(([symptom]) => watch.symptoms.has(symptom));
  const telling = found?.[0] ?? (watch.symptoms.has('no-compiler') ? 'no-compiler' : 'error');
  const reason = (watch.symptoms.get('error') ?? watch.symptoms.get(telling))?.replace(
    /^(?:npm (?:error|ERR!)|gyp ERR! (?:stack )?Error:|error:?) /,
    '',
  );
  const outcome = end.signal ? `was killed by ${end.signal}` : `failed with exit code ${end.exitCode}`;
  return new Failure(found?.[1] ?? 'INSTALL_FAILED', `${reason ? `${reason}: ` : ''}${command} ${outcome}`, {
    suggestion: SUGGESTIONS[telling],
    context: { command, exitCode: end.exitCode, signal: end.signal, lastLines },
  });
}
