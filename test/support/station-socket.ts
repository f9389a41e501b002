import { io, type Socket } from 'socket.io-client';
import type { ServerEvents } from '../../src/contracts/events.js';
import type { FailureData } from '../../src/contracts/failure.js';

export interface OperationMessage {
  operation: string;
  repoUrl?: string;
  repoId?: string;
  options?: Record<string, unknown>;
  apiKey?: string;
  requestId?: string;
}

export interface SuccessMessage {
  operation: string;
  operationId: string;
  repoId: string;
  uid: string;
  requestId?: string;
  result: Record<string, unknown>;
}

export interface ErrorMessage {
  operation: string;
  operationId?: string;
  repoId?: string;
  requestId?: string;
  error: FailureData;
}

export interface SubscribeMessage {
  repoId: string;
  logs?: boolean;
  logCursor?: string;
  sinceSeq?: number;
}

type Listeners = { [K in keyof ServerEvents]: (payload: ServerEvents[K]) => void } & {
  'repo-success': (message: SuccessMessage) => void;
  'repo-error': (message: ErrorMessage) => void;
};

interface Messages {
  'repo-operation': (message: OperationMessage, acknowledge?: (answer: SuccessMessage & ErrorMessage) => void) => void;
  'repo-subscribe': (message: SubscribeMessage, acknowledge?: (answer: SubscribeAnswer & ErrorMessage) => void) => void;
  'repo-unsubscribe': (message: { repoId: string }) => void;
}

export interface SubscribeAnswer {
  repoId: string;
  uid: string;
  seq: number;
  logCursor: string;
  missed: unknown;
}

export type StationSocket = Socket<Listeners, Messages>;

/** A connected client. Rejects with the `connect_error`. */
export async function connect(url: string, apiKey: string | null): Promise<StationSocket> {
  const auth = apiKey === null ? {} : { apiKey };
  const socket: StationSocket = io(url, { auth, forceNew: true, reconnection: false });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Sends one operation and resolves with what its acknowledgement says: a success, or an error. */
export function ask(socket: StationSocket, message: OperationMessage): Promise<SuccessMessage & ErrorMessage> {
  return new Promise((resolve) => {
    socket.emit('repo-operation', message, resolve);
  });
}

/** The next event that matches. Begin to wait before doing what causes it. */
export function nextEvent<K extends keyof ServerEvents>(
  socket: StationSocket,
  name: K,
  matches: (payload: ServerEvents[K]) => boolean = () => true,
  withinMs = 10_000,
): Promise<ServerEvents[K]> {
  // The library's own types do not follow a name that is generic.
  const events = socket as unknown as Record<
    'on' | 'off',
    (event: K, listener: (payload: ServerEvents[K]) => void) => void
  >;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      events.off(name, listener);
      reject(new Error(`No such ${name} within ${withinMs} ms`));
    }, withinMs);
    function listener(payload: ServerEvents[K]): void {
      if (!matches(payload)) return;
      clearTimeout(timer);
      events.off(name, listener);
      resolve(payload);
    }
    events.on(name, listener);
  });
}
