import type { Endpoint } from './endpoints.js';
import type { Listening } from './listeners.js';

/** The host's side of an app's ports. */
export interface PublishedPorts {
  /** Address that apps are published on (APP_HOST). */
  host: string;
  /** Taken for the app. */
  port: number;
  /** Given to the app as PORT. */
  appPort: number;
  /** For each further port that it listens on; null where none is free. */
  anotherPort(): Promise<number | null>;
  /** A port from `anotherPort` that is published no longer. */
  giveBack(port: number): void;
}

/** Makes the app's ports reachable from the host. */
export interface Publisher {
  /** How each of the app's ports is reached; debuggers are left out. */
  locate(listening: Listening): Promise<Endpoint[]>;
}

/** What leads a port of the host to an app that has a network of its own. */
export interface PortForwarder {
  /** False where somebody else has the port by now. */
  publish(host: string, port: number, app: { address: string; port: number }): Promise<boolean>;
  unpublish(port: number): Promise<void>;
}
