import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorageService } from '@nestjs/throttler';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { Principal } from './principal.js';

const WINDOW_MS = 60_000;
const MAX_SIGN_INS = 20;

/** Permissions that free resources: a plan's rate limit never refuses them. */
export const EXEMPT_OPERATIONS = new Set<unknown>(['stop', 'unload']);

/** How often callers may ask, over REST and Socket.IO together. Each method rejects with RATE_LIMITED. */
@Injectable()
export class RateLimit implements OnApplicationShutdown {
  private hits: Promise<ThrottlerStorageService> | undefined;

  constructor(@Inject(STATION_CONFIG) private readonly config: Pick<StationConfig, 'rateLimit'>) {}

  async onApplicationShutdown(): Promise<void> {
    (await this.hits)?.onApplicationShutdown();
  }

  /**
   * A request with a valid key: so many of one key as RATE_LIMIT says, and of one owner as the plan says. Stops, unloads,
   * connections and looks at logs (`isExempt`) are counted for themselves: whoever has used up everything else can still do these.
   */
  async ofCaller({ keyId, owner, plan }: Principal, isExempt = false): Promise<void> {
    await this.ofAny(`key ${keyId}`, isExempt ? 'stop, unload and log request' : undefined);
    if (isExempt) return;
    const limit = plan?.quotas.requestsPerMinute ?? null;
    if (!plan || limit === null) return;
    const retryAfterSeconds = await this.count(`owner ${owner}`, limit);
    if (retryAfterSeconds !== undefined) throw plan.refusal('requestsPerMinute', limit, { retryAfterSeconds });
  }

  /** A request without a valid key. */
  async ofStranger(address: string | null): Promise<void> {
    await this.ofAny(`address ${address}`);
  }

  /** Each asks Patreon, which wants to be asked seldom. */
  async ofSignIn(address: string | null): Promise<void> {
    if (this.config.rateLimit !== 0) await this.refuseBeyond(MAX_SIGN_INS, `address ${address}`, 'sign-in');
  }

  private async ofAny(who: string, what?: string): Promise<void> {
    if (this.config.rateLimit !== 0) await this.refuseBeyond(this.config.rateLimit, who, what);
  }

  private async refuseBeyond(limit: number, who: string, what = 'request'): Promise<void> {
    const retryAfterSeconds = await this.count(`${what} ${who}`, limit);
    if (retryAfterSeconds === undefined) return;
    const [kind] = who.split(' ');
    throw new Failure('RATE_LIMITED', `${limit} ${what}s a minute are allowed for one ${kind}`, {
      context: { limit, retryAfterSeconds },
    });
  }

  /** Seconds until there is room again; undefined where there is. */
  private async count(who: string, limit: number): Promise<number | undefined> {
    // Without a block that goes on: the window slides, so that whoever waits is let in again.
    const hits = await (this.hits ??= startCounting());
    const { isBlocked, timeToBlockExpire } = await hits.increment(who, WINDOW_MS, limit, 0, 'minute');
    return isBlocked ? Math.max(1, timeToBlockExpire) : undefined;
  }
}

/** The library is CommonJS that requires an ESM Nest, which not every loader of modules can do: only to count it is needed. */
async function startCounting(): Promise<ThrottlerStorageService> {
  const { ThrottlerStorageService: Hits } = await import('@nestjs/throttler');
  return new Hits();
}
