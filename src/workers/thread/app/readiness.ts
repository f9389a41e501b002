import type { RunInput } from '../../../contracts/operations.js';
import { isDebugger, probe } from './http-probe.js';
import type { ListeningPort } from './listening-ports.js';

/** Of 26 real repositories five listened and then died, after 0.1 to 4 s: what listens must still do so this much later. */
const STEADY_MS = 500;

/** Decides when an app is ready, and which of its ports is the one to talk to. */
export class Readiness {
  private logMatched = false;
  private steadySince: number | undefined;

  constructor(private readonly input: Pick<RunInput, 'port' | 'ready'>) {}

  /** A pattern in slashes is a regular expression; one that never ends costs its own app's thread only. */
  seeLine(text: string): void {
    const { log } = this.input.ready ?? {};
    if (log === undefined || this.logMatched) return;
    const [, source, flags] = /^\/(.+)\/([imsu]*)$/.exec(log) ?? [];
    this.logMatched = source === undefined ? text.includes(log) : new RegExp(source, flags).test(text);
  }

  /** True once what was asked for has held for half a second. */
  async isReady(ports: ListeningPort[]): Promise<boolean> {
    if (!(await this.holds(ports))) {
      this.steadySince = undefined;
      return false;
    }
    this.steadySince ??= Date.now();
    return Date.now() - this.steadySince >= STEADY_MS;
  }

  private async holds(ports: ListeningPort[]): Promise<boolean> {
    const { log, http } = this.input.ready ?? {};
    if (log !== undefined && !this.logMatched) return false;
    if (http === undefined) return log !== undefined || ports.length > 0;
    const main = await mainPort(ports, this.input.port);
    const answer = main && (await probe(main, http));
    return answer !== undefined && answer.status >= 200 && answer.status < 400;
  }
}

/** The one given as PORT, else one that answers HTTP and is no debugger's, else the first. */
export async function mainPort(ports: ListeningPort[], told: number): Promise<ListeningPort | undefined> {
  const asTold = ports.find(({ port }) => port === told);
  if (asTold || ports.length < 2) return asTold ?? ports[0];
  for (const port of ports) if ((await probe(port, '/')) && !(await isDebugger(port))) return port;
  return ports[0];
}
