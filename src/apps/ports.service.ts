import { createServer } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';

/** Which app has which port of the host. A port is taken before it is tried, so that no two runs are given the same. */
@Injectable()
export class PortsService {
  private readonly taken = new Map<number, string>();
  /** What each repository was given last: also of a start that came to nothing. */
  private readonly lasts = new Map<string, number>();
  private next: number;

  constructor(@Inject(STATION_CONFIG) private readonly config: StationConfig) {
    this.next = config.appPorts.first;
  }

  /**
   * The port that was asked for, or a free one of APP_PORT_RANGE: that of the last run where it still is, as others know the
   * app by it. PORT_IN_USE when there is none.
   */
  async take(uid: string, { requested, last }: { requested?: number; last?: number | null } = {}): Promise<number> {
    this.release(uid);
    const port = await this.choose(uid, requested, last ?? this.lasts.get(uid));
    this.lasts.set(uid, port);
    return port;
  }

  /** One more for a repository that has one. PORT_IN_USE when there is none. */
  async takeAnother(uid: string): Promise<number> {
    return this.allocate(uid);
  }

  /** Gives back one that it was given as another one. */
  giveBack(uid: string, port: number): void {
    if (this.taken.get(port) === uid) this.taken.delete(port);
  }

  /** The repository is gone. */
  forget(uid: string): void {
    this.release(uid);
    this.lasts.delete(uid);
  }

  /** Gives back what the repository has. */
  release(uid: string): void {
    for (const [port, holder] of this.taken) if (holder === uid) this.taken.delete(port);
  }

  private async choose(uid: string, requested: number | undefined, last: number | undefined): Promise<number> {
    if (requested !== undefined) return this.reserve(uid, requested);
    if (last !== undefined && (await this.tryToTake(uid, last))) return last;
    return this.allocate(uid);
  }

  private async reserve(uid: string, port: number): Promise<number> {
    if (port === this.config.port) throw inUse(port, 'it is the port of the station itself');
    if (this.taken.has(port)) throw inUse(port, 'another repository has it');
    this.taken.set(port, uid);
    if (await isFree(port, this.config.appHost)) return port;
    this.taken.delete(port);
    throw inUse(port, 'another program listens on it');
  }

  private async allocate(uid: string): Promise<number> {
    const { first, last } = this.config.appPorts;
    for (let tried = first; tried <= last; tried += 1) {
      const port = this.next;
      this.next = port < last ? port + 1 : first;
      if (await this.tryToTake(uid, port)) return port;
    }
    throw new Failure('PORT_IN_USE', `Every port of APP_PORT_RANGE is in use: ${first}-${last}`);
  }

  /** One of APP_PORT_RANGE. */
  private async tryToTake(uid: string, port: number): Promise<boolean> {
    const { appPorts, appHost } = this.config;
    if (port < appPorts.first || port > appPorts.last) return false;
    if (port === this.config.port || this.taken.has(port)) return false;
    this.taken.set(port, uid);
    if (await isFree(port, appHost)) return true;
    this.taken.delete(port);
    return false;
  }
}

function inUse(port: number, reason: string): Failure {
  return new Failure('PORT_IN_USE', `Port ${port} is in use: ${reason}`, { context: { port } });
}

/** Free on the app host and on every address: an app may bind either, and a stranger on one shadows the other. */
async function isFree(port: number, host: string): Promise<boolean> {
  return (await canBind(port, host)) && (await canBind(port));
}

function canBind(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
