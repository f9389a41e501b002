import type { Origin } from '../auth/audit/audit-trail.service.js';
import type { Principal } from '../auth/principal.js';
import type { StoppedByStation } from '../contracts/stop-reasons.js';
import type { Operation } from '../contracts/shapes.js';

/** An operation that was accepted: its record exists, its outcome will. */
export interface OperationTicket {
  /** As it was when it was accepted. */
  operation: Operation;
  /** Settles when it has finished, whatever its status. Never rejects. */
  finished: Promise<Operation>;
}

export interface SubmitContext {
  principal: Principal;
  /** How the caller has reached the station; left out where it is the station itself. */
  origin?: Origin;
  /** The socket that asked: it gets progress, and no notification of its own doing. */
  socketId?: string;
  /** Of a stop that nobody has asked for: why the station stops it; of a run, why it had been stopped. */
  stopReason?: StoppedByStation;
  /** Of a run that brings back an app that died: which restart in a row it is. */
  restarts?: number;
}
