import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CreatorTokens } from './creator-tokens.js';
import { PatreonClient } from './patreon-client.js';
import { PatronChecks } from './patron-checks.service.js';
import { Patrons } from './patrons.service.js';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Looks through all members of the campaign at start and daily, and heals what webhooks have missed. Who is not in the list
 * is asked about one by one, unless that was done a short time ago: a list may be incomplete, and takes nothing from anybody.
 */
export class CampaignSync implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Patreon');
  private timer: NodeJS.Timeout | undefined;
  private isEnded = false;

  constructor(
    private readonly client: PatreonClient,
    private readonly creator: CreatorTokens,
    private readonly patrons: Patrons,
    private readonly checks: PatronChecks,
  ) {}

  /** In the background: a start never waits for Patreon. */
  onApplicationBootstrap(): void {
    void this.syncAndGoOn();
  }

  onApplicationShutdown(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
  }

  private async syncAndGoOn(): Promise<void> {
    const isWhole = await this.sync();
    if (!this.isEnded) this.timer = setTimeout(() => void this.syncAndGoOn(), isWhole ? DAY_MS : HOUR_MS).unref();
  }

  /** False where Patreon did not tell everything. Never rejects. */
  async sync(): Promise<boolean> {
    const begunAt = Date.now();
    let isWhole = !this.creator.areGiven || (await this.readList());
    const longestAgoFirst = this.patrons.list().toSorted((one, other) => one.confirmedAt - other.confirmedAt);
    for (const { patreonId, confirmedAt } of longestAgoFirst) {
      if (confirmedAt >= begunAt || !this.checks.isOld(confirmedAt)) continue;
      await this.client.quiet();
      if (this.isEnded) return false;
      const outcome = await this.checks.check(patreonId);
      isWhole &&= outcome !== 'unavailable';
    }
    return isWhole;
  }

  private async readList(): Promise<boolean> {
    try {
      await this.creator.use(async (accessToken) => {
        let askedAt = Date.now();
        for await (const members of this.client.members(accessToken)) {
          for (const { patreonId, membership } of members) {
            if (membership) await this.patrons.learn(patreonId, membership, askedAt);
          }
          if (this.isEnded) return;
          askedAt = Date.now();
        }
      });
      return !this.isEnded;
    } catch (error) {
      this.logger.warn(`The members of the campaign could not be read: ${String(error)}`);
      return false;
    }
  }
}
