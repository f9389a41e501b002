import type { PackageManagerName } from '../../../contracts/shapes.js';
import { phaseOf, type InstallPhase } from './install-phases.js';
import { symptomsOf, type Symptom } from './install-symptoms.js';

const PROGRESS_INTERVAL_MS = 250;
const MAX_MESSAGE_CHARS = 200;
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
  private readonly phases = new Set<InstallPhase>();
  private toldAt = 0;

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

  /** A thousand packages are a thousand lines: told when a phase begins for the first time, and otherwise now and then. */
  private readPhase(text: string): void {
    const phase = phaseOf(this.manager, text);
    if (!phase || (this.phases.has(phase) && Date.now() - this.toldAt < PROGRESS_INTERVAL_MS)) return;
    this.phases.add(phase);
    this.toldAt = Date.now();
    this.progress(phase, null, text.trim().slice(0, MAX_MESSAGE_CHARS));
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
