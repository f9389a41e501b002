import type { Provider } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { publicUrlOf } from '../../config/public-url.js';
import { EventBus } from '../../events/event-bus.js';
import { PatronStore } from '../../registry/patron-store.js';
import { GrantedPlans } from '../plans/granted-plans.js';
import { PlansService } from '../plans/plans.service.js';
import { CampaignSync } from './campaign-sync.service.js';
import { CreatorTokens } from './creator-tokens.js';
import { PatreonClient } from './patreon-client.js';
import { PatronChecks } from './patron-checks.service.js';
import { Patrons } from './patrons.service.js';

/** null, all but Patrons, where Patreon is not set up. */
export const PATREON_PROVIDERS: Provider[] = [
  {
    provide: PatreonClient,
    inject: [STATION_CONFIG],
    useFactory: (config: StationConfig) =>
      config.patreon ? new PatreonClient(config.patreon, `${publicUrlOf(config)}/auth/patreon/callback`) : null,
  },
  {
    provide: Patrons,
    inject: [STATION_CONFIG, PatronStore, PlansService, GrantedPlans, EventBus],
    useFactory: (
      config: StationConfig,
      store: PatronStore,
      plans: PlansService,
      grants: GrantedPlans,
      events: EventBus,
    ) => Patrons.load(config, store, plans, grants, events),
  },
  {
    provide: CreatorTokens,
    inject: [STATION_CONFIG, PatreonClient, PatronStore],
    useFactory: ({ patreon }: StationConfig, client: PatreonClient | null, store: PatronStore) =>
      patreon && client ? new CreatorTokens(patreon, client, store) : null,
  },
  {
    provide: PatronChecks,
    inject: [STATION_CONFIG, PatreonClient, Patrons, CreatorTokens],
    useFactory: (
      { patreon }: StationConfig,
      client: PatreonClient | null,
      patrons: Patrons,
      creator: CreatorTokens | null,
    ) => (patreon && client && creator ? new PatronChecks(patreon, client, patrons, creator) : null),
  },
  {
    provide: CampaignSync,
    inject: [PatreonClient, CreatorTokens, Patrons, PatronChecks],
    useFactory: (
      client: PatreonClient | null,
      creator: CreatorTokens | null,
      patrons: Patrons,
      checks: PatronChecks | null,
    ) => (client && creator && checks ? new CampaignSync(client, creator, patrons, checks) : null),
  },
];
