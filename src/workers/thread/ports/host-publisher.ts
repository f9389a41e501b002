import { locate, publishedHost, type Endpoint, type PublishedHost } from './endpoints.js';
import type { Listening } from './listeners.js';
import type { PublishedPorts, Publisher } from './publisher.js';

/** On the network of the host nothing has to be published: an app is where it listens. */
export class HostPublisher implements Publisher {
  private readonly host: Promise<PublishedHost>;

  constructor(private readonly ports: Pick<PublishedPorts, 'host' | 'appPort'>) {
    this.host = publishedHost(ports.host);
  }

  async locate(listening: Listening): Promise<Endpoint[]> {
    return locate(listening, await this.host, this.ports.appPort);
  }
}
