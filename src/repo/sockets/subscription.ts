import type { Principal } from '../../auth/principal.js';
import type { LogFeed } from './log-feed.js';

/** What a socket follows closely: progress and, with a feed, the logs of one repository. */
export class Subscription {
  constructor(
    readonly uid: string,
    /** Whose key subscribed. */
    readonly principal: Principal,
    readonly feed?: LogFeed,
  ) {}

  end(): void {
    this.feed?.end();
  }
}
