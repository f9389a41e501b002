import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { httpGet, type HttpAnswer } from './http-get.js';
import { reached, type Listening } from './listeners.js';

/** A port that the app listens on. */
export interface Endpoint {
  /** Where the app itself listens. */
  appPort: number;
  /** On the host: the one in `url`. */
  port: number;
  /** Scheme, host and port; a guess where `answers` is false. */
  url: string;
  /** Whether it answers HTTP, be it with an error. */
  answers: boolean;
}

/** Where apps are published: as it is shown, and the address that it stands for. */
export interface PublishedHost {
  name: string;
  address: string;
}

/** Dev servers hold the first answer back until they have compiled; a guess is good enough then. */
const PROBE_MS = 500;
/** All are asked, kept and told again and again; a program may listen on thousands. */
const MAX_PORTS = 32;
const LOOPBACK: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

export async function publishedHost(host: string): Promise<PublishedHost> {
  const any = LOOPBACK[host];
  if (any !== undefined) return { name: any, address: any };
  try {
    return { name: host, address: (await lookup(host)).address };
  } catch {
    return { name: '127.0.0.1', address: '127.0.0.1' }; // a name that does not resolve leads nobody anywhere
  }
}

/**
 * The app's ports and how each is reached: at the published host where a connection there arrives at the app and not at
 * a stranger, else where the app itself says. Debuggers are left out.
 */
export async function locate(listening: Listening, host: PublishedHost, told: number): Promise<Endpoint[]> {
  const ports = firstPorts(listening, told, MAX_PORTS);
  const found = await Promise.all(ports.map((port) => locatePort(listening, port, host)));
  return found.filter((endpoint) => endpoint !== undefined);
}

/** Of those that the app listens on, the one that it was given as PORT before all others. */
export function firstPorts({ own }: Listening, told: number, count: number): number[] {
  const rank = (port: number) => (port === told ? 0 : port);
  return [...new Set(own.map(({ port }) => port))].toSorted((a, b) => rank(a) - rank(b)).slice(0, count);
}

/** Of several ports the one given as PORT, else one that answers HTTP. */
export function mainEndpoint(endpoints: Endpoint[], told: number): Endpoint | undefined {
  return endpoints.find(({ appPort }) => appPort === told) ?? endpoints.find(({ answers }) => answers) ?? endpoints[0];
}

async function locatePort({ own, all }: Listening, port: number, host: PublishedHost): Promise<Endpoint | undefined> {
  const bound = own.filter((one) => one.port === port).map(({ address }) => LOOPBACK[address] ?? address);
  const addresses = [...new Set([host.address, ...bound])].filter((address) => {
    const listener = reached(all, address, port);
    return listener !== undefined && own.includes(listener);
  });
  const names = addresses.map((address) => (address === host.address ? host.name : address));
  return askAt(names, port, port);
}

/** By which of these names the app answers at a port of the host; a guess where it answers by none, and undefined for a debugger. */
export async function askAt(names: string[], port: number, appPort: number): Promise<Endpoint | undefined> {
  const urls = names.flatMap((name) => {
    const place = `${isIPv6(name) ? `[${name}]` : name}:${port}`;
    return [`http://${place}`, `https://${place}`];
  });
  for (const url of urls) {
    const answer = await httpGet(url, PROBE_MS);
    if (answer) return isDebugger(answer) ? undefined : { appPort, port, url, answers: true };
  }
  const [url] = urls;
  return url === undefined ? undefined : { appPort, port, url, answers: false };
}

/** The inspector of Node.js answers HTTP too, but to no ordinary request. */
const isDebugger = ({ status, beginning }: HttpAnswer): boolean =>
  status === 400 && beginning.startsWith('WebSockets request was expected');
