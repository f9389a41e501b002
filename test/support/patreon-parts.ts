import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
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

interface Home {
  folder: string;
  database: DataSource;
}

/** The parts of a station that have to do with Patreon, with a database of their own. Its plans are `1` to `3`, by tier. */
export class PatreonParts {
  static async start(patreon: FakePatreon, settings: Partial<PatreonConfig> = {}): Promise<PatreonParts> {
    const folder = mkdtempSync(join(tmpdir(), 'docking-patrons-'));
    const database = await openDatabase(folder, () => undefined);
    return PatreonParts.on({ folder, database }, patreon, settings, true);
  }

  private static async on(
    home: Home,
    patreon: FakePatreon,
    settings: Partial<PatreonConfig>,
    isSetUp: boolean,
  ): Promise<PatreonParts> {
    const { clientId, clientSecret, campaignId, webhookSecret, url: apiUrl } = patreon;
    const patreonConfig: PatreonConfig = {
      clientId,
      clientSecret,
      campaignId,
      webhookSecret,
      apiUrl,
      graceMs: 2 * DAY_MS,
      retentionMs: 30 * DAY_MS,
      countsGifted: true,
      countsTrial: false,
      checkEveryMs: 0,
      ...settings,
    };
    const config = {
      host: '127.0.0.1',
      port: 6969,
      dataDir: home.folder,
      patreon: isSetUp ? patreonConfig : undefined,
    } as unknown as StationConfig;
    const store = new SqlPatronStore(home.database, Secrets.load({ dataDir: home.folder }));
    const events = new InProcessEventBus();
    const grants = await GrantedPlans.load(new SqlOwnerStore(home.database));
    const patrons = await Patrons.load(config, store, plansOf(home.folder, events), grants, events);
    return new PatreonParts(home, patreon, settings, patreonConfig, store, events, grants, patrons);
  }

  readonly client: PatreonClient;
  readonly checks: PatronChecks;
  readonly sync: CampaignSync;
  /** The codes of what owners were told. */
  readonly notices: string[] = [];
  private readonly webhooks: WebhookService;

  private constructor(
    private readonly home: Home,
    private readonly patreon: FakePatreon,
    private readonly settings: Partial<PatreonConfig>,
    config: PatreonConfig,
    store: SqlPatronStore,
    events: InProcessEventBus,
    readonly grants: GrantedPlans,
    readonly patrons: Patrons,
  ) {
    this.client = new PatreonClient(config, 'http://127.0.0.1/auth/patreon/callback');
    const creator = new CreatorTokens(config, this.client, store);
    this.checks = new PatronChecks(config, this.client, patrons, creator);
    this.sync = new CampaignSync(this.client, creator, patrons, this.checks);
    this.webhooks = new WebhookService({ patreon: config }, this.checks);
    events.subscribe('notice', ({ payload }) => void this.notices.push(payload.code));
  }

  /** Another life of the station; where it is not set up, without Patreon in its configuration. */
  async restart({ isSetUp = true } = {}): Promise<PatreonParts> {
    this.end();
    return PatreonParts.on(this.home, this.patreon, this.settings, isSetUp);
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
    this.end();
    await this.home.database.destroy();
    rmSync(this.home.folder, { recursive: true });
  }

  private end(): void {
    this.sync.onApplicationShutdown();
    this.checks.onApplicationShutdown();
    this.patrons.onApplicationShutdown();
  }
}

function plansOf(folder: string, events: InProcessEventBus): PlansService {
  const plansFile = join(folder, 'plans.json');
  const permissions = ['read', 'stop', 'unload', 'clone'];
  const plans = ['1', '2', '3'].map((tier) => ({ id: tier, name: tier, permissions, tiers: [tier] }));
  writeFileSync(plansFile, JSON.stringify({ plans }));
  return new PlansService({ plansFile }, events);
}
