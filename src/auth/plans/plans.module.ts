import { Global, Module } from '@nestjs/common';
import { OwnerStore } from '../../registry/owner-store.js';
import { OwnerPlans } from './owner-plans.js';
import { PlansService } from './plans.service.js';

/** What owners may do, and how much. */
@Global()
@Module({
  providers: [
    PlansService,
    {
      provide: OwnerPlans,
      inject: [OwnerStore, PlansService],
      useFactory: (store: OwnerStore, plans: PlansService) => OwnerPlans.load(store, plans),
    },
  ],
  exports: [PlansService, OwnerPlans],
})
export class PlansModule {}
