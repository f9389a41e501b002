import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket, type TcpNetConnectOpts } from 'node:net';
import { Failure } from '../../../contracts/failure.js';

/** Connections that nobody has accepted yet, and as many that the thread keeps for a relay that is being started. */
const BACKLOG = 511;
/** At the same time, for each port; each takes two descriptors of the relay. */
const MAX_CONNECTIONS = 4_096;

/** Where connections are led to: a port on an address of the network that the relay is in, or a socket in a folder. */
type Destination = Pick<TcpNetConnectOpts, 'host' | 'port'> | { path: string };

/** From where connections are led: an address outside, where the thread listens, or one in the network of the relay. */
export type Road = ({ outside: Address } | { inside: Address }) & { to: Destination };

interface Address {
  host: string;
  port: number;
}

interface Order {
  id: number;
  /**
   * Where to listen in the network of the relay; undefined with a server that listens outside of it already, and with a
   * connection to the server of this id.
   */
  at?: Address;
  to?: Destination;
  /** Not to listen any more where the order of this id has said. */
  close?: true;
}

interface Answer {
  id: number;
  error?: string;
}

export interface RelaySetting {
  /** What enters the network, as the user of its sandbox. */
  enter: string[];
  /** Descriptors that `enter` and destinations name; the first of them is 3. */
  descriptors: number[];
  cwd: string;
  env: Record<string, string>;
  /** Whether there is still somebody in the network. */
  isNeeded(): boolean;
  /** It has died, and no other one could take its place. */
  onBroken(reason: string): void;
}

/** What a relay runs: one process for all connections, as a process for each would be many for an app with many visitors. */
const PROGRAM = `
const { connect, createServer, Socket } = require('node:net');
const { pipeline } = require('node:stream');
process.on('disconnect', () => process.exit());
const servers = new Map();
process.on('message', ({ id, at, to, close }, outside) => {
  const answer = (error) => process.send({ id, error });
  if (close) {
    servers.get(id)?.close();
    servers.delete(id);
    return answer();
  }
  if (outside instanceof Socket) {
    outside.allowHalfOpen = true;
    const server = servers.get(id);
    if (server) server.emit('connection', outside);
    else outside.destroy(); // it was closed meanwhile
    return answer();
  }
  const server = outside ?? createServer();
  servers.set(id, server);
  Object.assign(server, { allowHalfOpen: true, maxConnections: ${MAX_CONNECTIONS} });
  server.on('connection', (from) => {
    const onward = connect({ ...to, allowHalfOpen: true });
    pipeline(from, onward, from, () => {}); // ends both when one of them breaks
  });
  server.on('error', ({ message }) => answer(message));
  if (outside) answer();
  else server.listen({ ...at, backlog: ${BACKLOG} }, () => answer());
});`;

/**
 * A process in another network that leads connections into it, and out of it. It ends with the thread; when something else
 * has ended it, another one takes its place.
 */
export class Relay {
  private child?: ChildProcess;
  private isOver = false;
  private orders = 0;
  private readonly roads = new Map<number, Road>();

  constructor(private readonly setting: RelaySetting) {}

  /** Resolves with what closes it. */
  async open(road: Road): Promise<number> {
    const id = ++this.orders;
    await this.build(id, road);
    this.roads.set(id, road);
    return id;
  }

  /** No connection is led there any more; those that are stay. */
  async close(id: number): Promise<void> {
    if (this.roads.delete(id)) await this.order({ id, close: true });
  }

  /** Resolves when it has ended: a process that nobody waits for stays as a zombie. */
  async dispose(): Promise<void> {
    this.isOver = true;
    this.child?.kill('SIGKILL');
    if (this.child) await ended(this.child);
  }

  private async build(id: number, { to, ...from }: Road): Promise<void> {
    if ('inside' in from) return this.order({ id, at: from.inside, to });
    // Whoever comes before the relay listens is accepted here, and waits unread until it can be handed over.
    const early: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (socket) => early.push(socket));
    server.maxConnections = BACKLOG;
    server.listen({ ...from.outside, backlog: BACKLOG });
    try {
      await once(server, 'listening');
      await this.order({ id, to }, server);
      server.close();
      for (const socket of early) await this.order({ id }, socket);
    } finally {
      server.close();
      for (const socket of early) socket.destroy();
    }
  }

  private async order(order: Order, handle?: Server | Socket): Promise<void> {
    if (this.isOver) throw broken('its network has gone');
    const child = (this.child ??= this.start());
    const answered = new Promise<Answer>((resolve) => {
      const over = () => resolve({ id: order.id, error: 'it has ended' });
      const hear = (answer: Answer) => {
        if (answer.id !== order.id) return;
        child.off('message', hear).off('exit', over).off('error', over);
        resolve(answer);
      };
      child.on('message', hear).once('exit', over).once('error', over);
      if (!child.connected) over();
    });
    if (child.connected) child.send(order, handle);
    const { error } = await answered;
    if (error !== undefined) throw broken(error);
  }

  private start(): ChildProcess {
    const { enter, descriptors, cwd, env } = this.setting;
    // By a descriptor: the user of a sandbox need not reach the folder that Node.js is in.
    const node = openSync(process.execPath, 'r');
    const program = `/proc/self/fd/${3 + descriptors.length}`;
    const [file, ...args] = [...enter, program, '-e', PROGRAM];
    const stdio = ['ignore' as const, 'ignore' as const, 'ignore' as const, ...descriptors, node, 'ipc' as const];
    const child = spawn(file, args, { cwd, env, stdio, detached: true });
    closeSync(node);
    child.once('exit', () => void this.replace());
    child.on('error', () => undefined); // whoever waits for an answer hears of it
    child.unref();
    child.channel?.unref();
    child.setMaxListeners(0); // Node.js adds one for each port whose connections were handed over
    return child;
  }

  private async replace(): Promise<void> {
    if (this.isOver) return;
    this.child = undefined;
    if (!this.setting.isNeeded()) return;
    try {
      for (const [id, road] of this.roads) await this.build(id, road);
    } catch (error) {
      this.roads.clear(); // given up after one replacement that has failed
      this.setting.onBroken(error instanceof Error ? error.message : String(error));
    }
  }
}

/** Resolves when the process has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

const broken = (reason: string): Failure => new Failure('SANDBOX_UNAVAILABLE', `${reason}: no relay into the network`);
