import type { OwnerRecord, OwnerStore } from '../../registry/owner-store.js';

/** Which plans administrators have granted, by their ids. In memory as well: every request and every thread asks. */
export class GrantedPlans {
  private constructor(
    private readonly store: OwnerStore,
    private readonly records: Map<string, OwnerRecord>,
  ) {}

  static async load(store: OwnerStore): Promise<GrantedPlans> {
    return new GrantedPlans(store, new Map((await store.list()).map((record) => [record.owner, record])));
  }

  /** null: none was granted, or it was taken away. */
  of(owner: string): string | null {
    return this.records.get(owner)?.grantedPlan ?? null;
  }

  /** Those who have one. */
  owners(): string[] {
    return [...this.records.keys()].filter((owner) => this.of(owner) !== null);
  }

  async grant(owner: string, plan: string | null): Promise<void> {
    const record = { owner, grantedPlan: plan, updatedAt: Date.now() };
    await this.store.save(record);
    this.records.set(owner, record);
  }
}
