import { Injectable } from '@nestjs/common';
import type { OwnerNotice } from '../contracts/events.js';
import { Failure } from '../contracts/failure.js';
import { ownerOf, Patrons } from './patreon/patrons.service.js';
import { GrantedPlans } from './plans/granted-plans.js';
import type { GrantedPlan } from './plans/plan.js';
import { PlansService } from './plans/plans.service.js';

/** Which plan bounds whom: what an administrator has granted, else what comes with the tier at Patreon. */
@Injectable()
export class OwnerPlans {
  constructor(
    private readonly plans: PlansService,
    private readonly grants: GrantedPlans,
    private readonly patrons: Patrons,
  ) {}

  /** null: nothing bounds the owner. */
  of(owner: string): GrantedPlan | null {
    const granted = this.grants.of(owner);
    return granted === null ? (this.patrons.planOf(owner) ?? null) : this.plans.granted(granted);
  }

  /** What the owner should know of their plan. */
  noticeOf(owner: string): OwnerNotice | undefined {
    return this.patrons.noticeOf(owner);
  }

  /** Those whom a plan bounds. */
  owners(): string[] {
    return [...this.grants.owners(), ...this.patrons.list().map(({ patreonId }) => ownerOf(patreonId))];
  }

  /** From now on; null takes the bounds away. UNKNOWN_PLAN where there is no such plan. */
  async grant(owner: string, plan: string | null): Promise<void> {
    if (plan !== null && !this.plans.has(plan)) {
      const plans = this.plans.all().map(({ id }) => id);
      throw new Failure('UNKNOWN_PLAN', `There is no plan "${plan.slice(0, 60)}".`, { context: { plans } });
    }
    await this.grants.grant(owner, plan);
    await this.patrons.grantHasChanged(owner);
  }
}
