import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Server, TcpNetConnectOpts } from 'node:net';
import { Failure } from '../../../contracts/failure.js';

/** Connections that nobody has accepted yet. */
export const BACKLOG = 511;
/** At the same time, for each port; each takes two descriptors of the relay. */
const MAX_CONNECTIONS = 4_096;

/** Where connections are led to: a port on an address of the network that the relay is in, or a socket in a folder. */
type Destination = Pick<TcpNetConnectOpts, 'host' | 'port'> | { path: string };

interface Order {
  id: number;
  /** Where to listen in the network of the relay; undefined with a server that listens outside of it already. */
  at?: { host: string; port: number };
  to: Destination;
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
}

/** What a relay runs: one process for all connections, as a process for each would be many for an app with many visitors. */
const PROGRAM = `
const { connect, createServer } = require('node:net');
const { pipeline } = require('node:stream');
process.on('disconnect', () => process.exit());
process.on('message', ({ id, at, to }, outside) => {
  const answer = (error) => process.send({ id, error });
  const server = outside ?? createServer();
  Object.assign(server, { allowHalfOpen: true, maxConnections: ${MAX_CONNECTIONS} });
  server.on('connection', (from) => {
    const onward = connect({ ...to, allowHalfOpen: true });
    pipeline(from, onward, from, () => {}); // ends both when one of them breaks
  });
  server.on('error', ({ message }) => answer(message));
  if (outside) answer();
  else server.listen({ ...at, backlog: ${BACKLOG} }, () => answer());
});`;

/** A process in another network that leads connections into it, and out of it. It ends with the thread. */
export class Relay {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  private orders = 0;

  constructor({ enter, descriptors, cwd, env }: RelaySetting) {
    // By a descriptor: the user of a sandbox need not reach the folder that Node.js is in.
    const node = openSync(process.execPath, 'r');
    const program = `/proc/self/fd/${3 + descriptors.length}`;
    const [file, ...args] = [...enter, program, '-e', PROGRAM];
    const stdio = ['ignore' as const, 'ignore' as const, 'ignore' as const, ...descriptors, node, 'ipc' as const];
    this.child = spawn(file, args, { cwd, env, stdio, detached: true });
    closeSync(node);
    this.ended = once(this.child, 'exit').catch(() => undefined); // it could not be started
    this.child.on('error', () => undefined); // whoever waits for an answer hears of it
    this.child.unref();
    this.child.channel?.unref();
  }

  /** Leads what comes to `server`, which listens outside, to an address inside; takes the server over. */
  async take(server: Server, to: Destination): Promise<void> {
    await this.order({ to }, server);
    server.close();
  }

  /** Listens inside, and leads what comes there to a socket in a folder. */
  async listen(at: { host: string; port: number }, path: string): Promise<void> {
    await this.order({ at, to: { path } });
  }

  /** Resolves when it has ended: a process that nobody waits for stays as a zombie. */
  async dispose(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private async order(order: Omit<Order, 'id'>, server?: Server): Promise<void> {
    const id = ++this.orders;
    const answered = new Promise<Answer>((resolve) => {
      const over = () => resolve({ id, error: 'it has ended' });
      const hear = (answer: Answer) => {
        if (answer.id !== id) return;
        this.child.off('message', hear).off('exit', over);
        resolve(answer);
      };
      this.child.on('message', hear).once('exit', over).once('error', over);
      if (!this.child.connected) over();
    });
    if (this.child.connected) this.child.send({ id, ...order } satisfies Order, server);
    const { error } = await answered;
    if (error !== undefined) throw new Failure('SANDBOX_UNAVAILABLE', `${error}: no relay into the network`);
  }
}
