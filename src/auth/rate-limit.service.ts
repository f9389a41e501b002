import type { OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorageService } from '@nestjs/throttler';
import type { StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { Principal } from './principal.js';

const WINDOW_MS = 60_000;

/** How often callers may ask, over REST and Socket.IO together. Each method rejects with RATE_LIMITED. */
export class RateLimit implements OnApplicationShutdown {
  private constructor(
    private readonly config: Pick<StationConfig, 'rateLimit'>,
    private readonly hits: ThrottlerStorageService,
  ) {}

  /** The library is CommonJS that requires an ESM Nest, which not every loader of modules can do: only here it is needed. */
  static async begin(config: Pick<StationConfig, 'rateLimit'>): Promise<RateLimit> {
    const { ThrottlerStorageService: Hits } = await import('@nestjs/throttler');
    return new RateLimit(config, new Hits());
  }

  onApplicationShutdown(): void {
    this.hits.onApplicationShutdown();
  }

  /** A request with a valid key: so many of one key as RATE_LIMIT says, and of one owner as the plan says. */
  async ofCaller({ keyId, owner, plan }: Principal): Promise<void> {
    await this.ofAny(`key ${keyId}`);
    const limit = plan?.quotas.requestsPerMinute ?? null;
    if (!plan || limit === null) return;
    const retryAfterSeconds = await this.count(`owner ${owner}`, limit);
    if (retryAfterSeconds !== undefined) throw plan.refusal('requestsPerMinute', limit, { retryAfterSeconds });
  }

  /** A request without a valid key: whoever tries keys does not come far. */
  async ofStranger(address: string | null): Promise<void> {
    await this.ofAny(`address ${address}`);
  }

  private async ofAny(who: string): Promise<void> {
    const limit = this.config.rateLimit;
    if (limit === 0) return;
    const retryAfterSeconds = await this.count(who, limit);
    if (retryAfterSeconds === undefined) return;
    const [kind] = who.split(' ');
    throw new Failure('RATE_LIMITED', `${limit} requests a minute are allowed for one ${kind}`, {
      context: { limit, retryAfterSeconds },
    });
  }

  /** Seconds until there is room again; undefined where there is. */
  private async count(who: string, limit: number): Promise<number | undefined> {
    // Without a block that goes on: the window slides, so that whoever waits is let in again.
    const { isBlocked, timeToBlockExpire } = await this.hits.increment(who, WINDOW_MS, limit, 0, 'minute');
    return isBlocked ? Math.max(1, timeToBlockExpire) : undefined;
  }
}
