import { createHash } from 'node:crypto';
import type { PatreonConfig } from '../../config/config.js';
import { PatronStore, type CreatorTokens as Kept } from '../../registry/patron-store.js';
import { PatreonClient } from './patreon-client.js';
import { PatreonRefusal, PatreonUnavailable } from './patreon-failures.js';

/** The tokens of the campaign's creator: first those of the environment, then what they were renewed to. */
export class CreatorTokens {
  private renewing: Promise<Kept> | undefined;

  constructor(
    private readonly config: PatreonConfig,
    private readonly client: PatreonClient,
    private readonly store: PatronStore,
  ) {}

  get areGiven(): boolean {
    return this.config.creator !== undefined;
  }

  /** Does something with an access token that Patreon accepts. PatreonRefusal where there is none. */
  async use<T>(work: (accessToken: string) => Promise<T>): Promise<T> {
    const tokens = await this.current();
    try {
      return await work(tokens.accessToken);
    } catch (error) {
      if (!(error instanceof PatreonRefusal) || error.status !== 401) throw error;
      return work((await this.renewed(tokens)).accessToken);
    }
  }

  /** Once for all whose token was refused: somebody may have renewed it meanwhile. */
  private async renewed(refused: Kept): Promise<Kept> {
    const now = await this.current();
    if (now.accessToken !== refused.accessToken) return now;
    return (this.renewing ??= this.renew(now).finally(() => (this.renewing = undefined)));
  }

  /** Other tokens in the environment than those that were renewed stand in their place. */
  private async current(): Promise<Kept> {
    const { creator } = this.config;
    if (!creator) throw new PatreonUnavailable('there are no tokens of the campaign’s creator');
    const origin = createHash('sha256').update(creator.accessToken).digest('hex');
    const kept = await this.store.creatorTokens();
    return kept?.origin === origin ? kept : { ...creator, origin };
  }

  /** Kept before they are used: the old refresh token is gone. */
  private async renew({ origin, refreshToken }: Kept): Promise<Kept> {
    if (refreshToken === undefined) throw new PatreonRefusal(401, 'the creator’s access token has expired');
    const { accessToken, ...renewed } = await this.client.refresh({ refreshToken });
    const kept = { accessToken, refreshToken: renewed.refreshToken, origin };
    await this.store.saveCreatorTokens(kept);
    return kept;
  }
}
