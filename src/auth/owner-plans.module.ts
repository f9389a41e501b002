import { Module } from '@nestjs/common';
import { OwnerStore } from '../registry/owner-store.js';
import { PATREON_PROVIDERS } from './patreon/patreon.providers.js';
import { PatreonClient } from './patreon/patreon-client.js';
import { PatronChecks } from './patreon/patron-checks.service.js';
import { Patrons } from './patreon/patrons.service.js';
import { OwnerPlans } from './owner-plans.js';
import { GrantedPlans } from './plans/granted-plans.js';
import { PlansService } from './plans/plans.service.js';

/** What owners may do, and how much: what an administrator has granted, and what comes with a tier at Patreon. */
@Module({
  providers: [
    PlansService,
    ...PATREON_PROVIDERS,
    {
      provide: GrantedPlans,
      inject: [OwnerStore],
      useFactory: (store: OwnerStore) => GrantedPlans.load(store),
    },
    OwnerPlans,
  ],
  exports: [PlansService, OwnerPlans, Patrons, PatronChecks, PatreonClient],
})
export class OwnerPlansModule {}
