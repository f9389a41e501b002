import type { PackageManagerName } from '../../../contracts/shapes.js';
import { phaseOf, type InstallPhase } from './install-phases.js';
import { symptomsOf, type Symptom } from './install-symptoms.js';

/** Longer lines are no words of a package manager, and patterns would take their time over them. */
const MAX_PARSED_CHARS = 2_000;

const MAX_SCRIPTS_NOT_RUN = 1_000;

/** `name@version` in the words of npm 12, pnpm and yarn; npm 11 lists the same packages, but runs them. */
const NPM_BLOCKED = /install-scripts \d+ packages? had install scripts blocked/;
const NPM_LISTED = /install-scripts\s+(\S+@\S+) \(/;
const YARN_BLOCKED = /YN000[45]: .*?([@\w][\w./-]*@)(?:npm:)?([^\s[]+)\S* lists build scripts/;

/** Reads along what a package manager says: how far it is, what it leaves out, and what goes wrong. */
export class InstallWatch {
  /** With the line that shows it, in order of appearance. */
  readonly symptoms = new Map<Symptom, string>();
  /** `name@version` of packages whose install scripts were refused, as far as the output names them. */
  readonly scriptsNotRun = new Set<string>();
  private npmBlocked = false;

  constructor(
    private readonly manager: PackageManagerName,
    private readonly progress: (phase: InstallPhase, percent: null, message: string) => void,
  ) {}

  readonly line = (text: string): void => {
    if (text.length > MAX_PARSED_CHARS) return;
    this.readPhase(text);
    this.readScripts(text);
    for (const symptom of symptomsOf(this.manager, text)) {
      if (!this.symptoms.has(symptom)) this.symptoms.set(symptom, text.trim());
    }
  };

  private readPhase(text: string): void {
    const phase = phaseOf(this.manager, text);
    if (phase) this.progress(phase, null, text.trim());
  }

  private readScripts(text: string): void {
    if (this.scriptsNotRun.size >= MAX_SCRIPTS_NOT_RUN) return;
    if (NPM_BLOCKED.test(text)) this.npmBlocked = true;
    const listed = this.npmBlocked ? NPM_LISTED.exec(text)?.[1] : undefined;
    if (listed) this.scriptsNotRun.add(listed);
    const [, name, version] = YARN_BLOCKED.exec(text) ?? [];
    if (name && version) this.scriptsNotRun.add(name + version);
  }
}
