import { isIP } from 'node:net';
import { isLoopbackAddress } from '../../../contracts/public-address.js';
import { askAt, firstPorts, publishedHost, type Endpoint } from './endpoints.js';
import type { Listener, Listening } from './listeners.js';
import type { PortForwarder, PublishedPorts, Publisher } from './publisher.js';

/** More of them would be a scan, not an app. */
const MAX_PORTS = 8;
/**
 * With those that the app listens on no longer, for it may come back to them, as a dev server does that restarts itself.
 * Each takes one of the range that all apps share.
 */
const MAX_PUBLISHED = 2 * MAX_PORTS;
/** A port that was free a moment ago may have been taken by a stranger since. */
const ATTEMPTS = 3;

/** Publishes the ports of an app that has a network of its own, whichever it listens on, and on whichever address. */
export class NetworkPublisher implements Publisher {
  /** Port inside → port of the host; null where none could be had. */
  private readonly published = new Map<number, number | null>();

  constructor(
    private readonly network: () => PortForwarder | undefined,
    private readonly ports: PublishedPorts,
  ) {}

  async locate(listening: Listening): Promise<Endpoint[]> {
    const found: Endpoint[] = [];
    // The one that it was told comes first: the port that was promised is its.
    const wanted = firstPorts(listening, this.ports.appPort, MAX_PORTS);
    for (const appPort of wanted) {
      const known = this.published.get(appPort);
      const listeners = listening.own.filter(({ port }) => port === appPort);
      if (known === undefined) await this.makeRoom(wanted);
      const port = known === undefined ? await this.publish(appPort, listeners) : known;
      const { name } = await publishedHost(this.ports.host);
      const endpoint = port === null ? undefined : await askAt([name], port, appPort);
      if (endpoint) found.push(endpoint);
    }
    return found;
  }

  /** Closes the oldest of those that the app listens on no longer; the one that it was promised stays. */
  private async makeRoom(wanted: number[]): Promise<void> {
    if (this.published.size < MAX_PUBLISHED) return;
    const unused = [...this.published].find(([own, port]) => !wanted.includes(own) && port !== this.ports.port);
    if (!unused) return;
    const [appPort, port] = unused;
    this.published.delete(appPort);
    if (port === null) return;
    await this.network()?.unpublish(port);
    this.ports.giveBack(port);
  }

  private async publish(appPort: number, listeners: Listener[]): Promise<number | null> {
    const promised = [...this.published.values()].includes(this.ports.port) ? null : this.ports.port;
    const open = listeners.find(({ address }) => !isLoopbackAddress(address)) ?? listeners[0];
    if (!open) return null;
    const { host } = this.ports;
    const address = isIP(host) ? host : (await publishedHost(host)).address;
    const network = this.network();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const port = (attempt === 1 ? promised : null) ?? (await this.ports.anotherPort());
      if (port === null) continue;
      if (await network?.publish(address, port, open)) {
        this.published.set(appPort, port);
        return port;
      }
      if (port !== promised) this.ports.giveBack(port);
    }
    this.published.set(appPort, null);
    return null;
  }
}
