import type { OwnerNotice } from '../contracts/events.js';
import { Failure } from '../contracts/failure.js';
import type { OwnerRecord, OwnerStore } from '../registry/owner-store.js';
import { ownerOf, type Patrons } from './patreon/patrons.service.js';
import type { GrantedPlan } from './plans/plan.js';
import type { PlansService } from './plans/plans.service.js';

/** Which plan bounds whom. In memory as well: every request and every thread asks. */
export class OwnerPlans {
  private constructor(
    private readonly store: OwnerStore,
    private readonly plans: PlansService,
    private readonly patrons: Patrons,
    private readonly records: Map<string, OwnerRecord>,
  ) {}

  static async load(store: OwnerStore, plans: PlansService, patrons: Patrons): Promise<OwnerPlans> {
    const owners = (await store.list()).map((record) => [record.owner, record] as const);
    return new OwnerPlans(store, plans, patrons, new Map(owners));
  }

  /** What an administrator has granted, else what comes with the tier at Patreon; null: nothing bounds the owner. */
  of(owner: string): GrantedPlan | null {
    const granted = this.records.get(owner)?.grantedPlan ?? null;
    return granted === null ? (this.patrons.planOf(owner) ?? null) : this.plans.granted(granted);
  }

  /** What the owner should know of their plan; nothing where an administrator has granted it. */
  noticeOf(owner: string): OwnerNotice | undefined {
    return this.isGranted(owner) ? undefined : this.patrons.noticeOf(owner);
  }

  isGranted(owner: string): boolean {
    return (this.records.get(owner)?.grantedPlan ?? null) !== null;
  }

  /** Those whom a plan bounds. */
  owners(): string[] {
    const granted = [...this.records.keys()].filter((owner) => this.isGranted(owner));
    return [...granted, ...this.patrons.list().map(({ patreonId }) => ownerOf(patreonId))];
  }

  /** From now on; null takes the bounds away. UNKNOWN_PLAN where there is no such plan. */
  async grant(owner: string, plan: string | null): Promise<void> {
    if (plan !== null && !this.plans.has(plan)) {
      const plans = this.plans.all().map(({ id }) => id);
      throw new Failure('UNKNOWN_PLAN', `There is no plan "${plan.slice(0, 60)}".`, { context: { plans } });
    }
    const record = { owner, grantedPlan: plan, updatedAt: Date.now() };
    await this.store.save(record);
    this.records.set(owner, record);
    this.patrons.grantHasChanged(owner);
  }
}
