import { Failure } from '../../../contracts/failure.js';
import type { PackageManifest } from '../workspace/manifest.js';

const DEFAULTS = ['start', 'dev', 'serve'];

export interface ScriptStep {
  /** `prestart`, `start`, `poststart`: what npm_lifecycle_event says. */
  event: string;
  command: string;
}

/** The script that was named, else the first default that exists. Own keys only. SCRIPT_NOT_FOUND lists those that do. */
export function chooseScript({ scripts }: PackageManifest, named: string | undefined): string {
  const found = (named === undefined ? DEFAULTS : [named]).find((name) => Object.hasOwn(scripts, name));
  if (found !== undefined) return found;
  const wanted = named === undefined ? DEFAULTS.join(', ') : JSON.stringify(named);
  const existing = Object.keys(scripts);
  throw new Failure('SCRIPT_NOT_FOUND', `package.json has no script ${wanted}`, {
    context: { scripts: existing },
    suggestion:
      existing.length > 0 ? `Run one of: ${existing.join(', ')}.` : 'Add a script to package.json and update.',
  });
}

/** What the package manager would run for it, one after the other. */
export function stepsOf({ scripts }: PackageManifest, script: string): ScriptStep[] {
  return [`pre${script}`, script, `post${script}`]
    .filter((event) => Object.hasOwn(scripts, event))
    .map((event) => ({ event, command: scripts[event] ?? '' }));
}
