import { isIP } from 'node:net';
import { askAt, firstPorts, publishedHost, type Endpoint } from '../app/endpoints.js';
import type { Listener, Listening } from '../app/listeners.js';
import { isLoopback, type PrivateNetwork } from './private-network.js';
import type { PublishedPorts, Publisher } from './sandbox.js';

/** More of them would be a scan, not an app. */
const MAX_PORTS = 8;
/** In the whole life of an app: each takes one of the range that all apps share. */
const MAX_PUBLISHED = 32;
/** A port that was free a moment ago may have been taken by a stranger since. */
const ATTEMPTS = 3;

/** Publishes the ports of an app that has a network of its own, whichever it listens on, and on whichever address. */
export class PortPublisher implements Publisher {
  /** Port inside → port of the host; null where none could be had. */
  private readonly published = new Map<number, number | null>();

  constructor(
    private readonly network: () => PrivateNetwork | undefined,
    private readonly ports: PublishedPorts,
  ) {}

  async locate(listening: Listening): Promise<Endpoint[]> {
    const found: Endpoint[] = [];
    // The one that it was told comes first: the port that was promised is its.
    for (const appPort of firstPorts(listening, this.ports.appPort, MAX_PORTS)) {
      const known = this.published.get(appPort);
      const listeners = listening.own.filter(({ port }) => port === appPort);
      const port = known === undefined ? await this.publish(appPort, listeners) : known;
      const { name } = await publishedHost(this.ports.host);
      const endpoint = port === null ? undefined : await askAt([name], port, appPort);
      if (endpoint) found.push(endpoint);
    }
    return found;
  }

  private async publish(appPort: number, listeners: Listener[]): Promise<number | null> {
    if (this.published.size >= MAX_PUBLISHED) return null;
    const promised = [...this.published.values()].includes(this.ports.port) ? null : this.ports.port;
    const open = listeners.find(({ address }) => !isLoopback(address)) ?? listeners[0];
    if (!open) return null;
    const { host } = this.ports;
    const address = isIP(host) ? host : (await publishedHost(host)).address;
    const network = this.network();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const port = (attempt === 1 ? promised : null) ?? (await this.ports.anotherPort());
      if (port === null || !(await network?.publish(address, port, open))) continue;
      this.published.set(appPort, port);
      return port;
    }
    this.published.set(appPort, null);
    return null;
  }
}
