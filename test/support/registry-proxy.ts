import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const REGISTRY = 'https://registry.npmjs.org';

/** An npm registry on the host's own loopback, as many companies have one: it passes on what the public one says. */
export class RegistryProxy {
  /** Paths that were asked for. */
  readonly requests: string[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<RegistryProxy> {
    const server = createServer();
    const proxy = new RegistryProxy(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void proxy.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async answer({ url = '/', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(url);
    try {
      const found = await fetch(REGISTRY + url, { headers: { accept: headers.accept ?? '*/*' } });
      const type = found.headers.get('content-type') ?? 'application/octet-stream';
      response.writeHead(found.status, { 'content-type': type }).end(Buffer.from(await found.arrayBuffer()));
    } catch {
      response.writeHead(502).end();
    }
  }
}
