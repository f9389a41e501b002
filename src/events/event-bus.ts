import type { OwnerNotice, RepoEvent, RepoNotification, RepoProgress } from '../contracts/events.js';

/** Which repository an event is about, and who may hear it. */
export interface Audience {
  uid: string;
  owner: string;
  visibility: 'private' | 'shared';
}

/** What happens on the station, for its own parts. Server and client event maps are kept apart (contracts/events). */
export interface StationEvents {
  event: { audience: Audience; payload: RepoEvent };
  notification: {
    audience: Audience;
    payload: RepoNotification;
    /** The sender, who is not notified. */ socketId?: string;
  };
  progress: {
    audience: Audience;
    payload: RepoProgress;
    /** The sender, who hears it without subscribing. */ socketId?: string;
  };
  /** New lines are in the log of an operation or run, up to `lastSeq`, so many bytes on disk. */
  log: { audience: Audience; operationId: string; lastSeq: number; bytes: number };
  /** What the last life of the server has left is in order. */
  recovered: Record<string, never>;
  /** A key was revoked or has expired: its sockets are closed. */
  'key-ended': { keyId: string };
  /** An owner should know something of their plan. */
  notice: { owner: string; payload: OwnerNotice };
  /** An owner stands differently with Patreon, or a time that was announced has come. */
  'standing-due': { owner: string };
  /** The file of plans was read again. */
  'plans-changed': Record<string, never>;
}

/** Typed publish and subscribe. A port: its token is this class. */
export abstract class EventBus {
  abstract publish<K extends keyof StationEvents>(name: K, payload: StationEvents[K]): void;
  /** Returns the function that ends the subscription. */
  abstract subscribe<K extends keyof StationEvents>(name: K, listener: (payload: StationEvents[K]) => void): () => void;
}
