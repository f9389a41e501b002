import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GrantedPlans } from '../../src/auth/plans/granted-plans.js';
import { PlansService } from '../../src/auth/plans/plans.service.js';
import { CampaignSync } from '../../src/auth/patreon/campaign-sync.service.js';
import { CreatorTokens } from '../../src/auth/patreon/creator-tokens.js';
import { PatreonClient } from '../../src/auth/patreon/patreon-client.js';
import { PatronChecks } from '../../src/auth/patreon/patron-checks.service.js';
import { ownerOf, Patrons } from '../../src/auth/patreon/patrons.service.js';
import { WebhookService } from '../../src/auth/patreon/webhook.service.js';
import type { PatreonConfig, StationConfig } from '../../src/config/config.js';
import { InProcessEventBus } from '../../src/events/in-process-event-bus.js';
import { Secrets } from '../../src/registry/secrets.js';
import { openDatabase } from '../../src/registry/sql/database.js';
import { SqlOwnerStore } from '../../src/registry/sql/sql-owner-store.js';
import { SqlPatronStore } from '../../src/registry/sql/sql-patron-store.js';
import type { FakeMember, FakePatreon } from './fake-patreon.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The parts of a station that have to do with Patreon, with a database of their own. Its plans are `1` to `3`, by tier. */
export class PatreonParts {
  static async start(patreon: FakePatreon, settings: Partial<PatreonConfig> = {}): Promise<PatreonParts> {
    const folder = mkdtempSync(join(tmpdir(), 'docking-patrons-'));
    const { clientId, clientSecret, campaignId, webhookSecret, url: apiUrl } = patreon;
    const rules = { graceMs: 2 * DAY_MS, retentionMs: 30 * DAY_MS, countsGifted: true, countsTrial: false };
    const client = { clientId, clientSecret, campaignId, webhookSecret, apiUrl };
    const config = {
      host: '127.0.0.1',
      port: 6969,
      dataDir: folder,
      patreon: { ...client, ...rules, checkEveryMs: 0, ...settings },
    } as unknown as StationConfig & { patreon: PatreonConfig };
    const database = await openDatabase(folder, () => undefined);
    const store = new SqlPatronStore(database, Secrets.load({ dataDir: folder }));
    const events = new InProcessEventBus();
    const grants = await GrantedPlans.load(new SqlOwnerStore(database));
    const patrons = await Patrons.load(config, store, plansOf(folder, events), grants, events);
    return new PatreonParts(patreon, config, store, patrons, async () => {
      await database.destroy();
      rmSync(folder, { recursive: true });
    });
  }

  readonly client: PatreonClient;
  readonly checks: PatronChecks;
  readonly sync: CampaignSync;
  private readonly webhooks: WebhookService;

  private constructor(
    private readonly patreon: FakePatreon,
    config: StationConfig & { patreon: PatreonConfig },
    store: SqlPatronStore,
    readonly patrons: Patrons,
    private readonly remove: () => Promise<void>,
  ) {
    this.client = new PatreonClient(config.patreon, 'http://127.0.0.1/auth/patreon/callback');
    const creator = new CreatorTokens(config.patreon, this.client, store);
    this.checks = new PatronChecks(config.patreon, this.client, patrons, creator);
    this.sync = new CampaignSync(this.client, creator, patrons, this.checks);
    this.webhooks = new WebhookService(config, this.checks);
  }

  async signIn(user: string): Promise<void> {
    const code = new URL(this.patreon.allow(this.client.authorizeUrl('state'), user)).searchParams.get('code') ?? '';
    const tokens = await this.client.exchange(code);
    const askedAt = Date.now();
    await this.patrons.enter(await this.client.identity(tokens.accessToken), tokens, askedAt);
  }

  /** Patreon sends an event, which says something else than is so where `says` does. */
  hook(user: string, says: Partial<FakeMember> = {}): void {
    const { body, signature } = this.patreon.webhook(user, says);
    this.webhooks.take(Buffer.from(body), signature);
  }

  /** What may be done, and why no more: `1` to `3` is a plan. */
  standingOf(user: string): string | undefined {
    const standing = this.patrons.find(ownerOf(user))?.standing;
    return standing?.why ?? standing?.plan;
  }

  async close(): Promise<void> {
    this.sync.onApplicationShutdown();
    this.checks.onApplicationShutdown();
    this.patrons.onApplicationShutdown();
    await this.remove();
  }
}

function plansOf(folder: string, events: InProcessEventBus): PlansService {
  const plansFile = join(folder, 'plans.json');
  const permissions = ['read', 'stop', 'unload', 'clone'];
  const plans = ['1', '2', '3'].map((tier) => ({ id: tier, name: tier, permissions, tiers: [tier] }));
  writeFileSync(plansFile, JSON.stringify({ plans }));
  return new PlansService({ plansFile }, events);
}
