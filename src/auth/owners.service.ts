import { Injectable } from '@nestjs/common';
import { OwnerUseService } from '../operations/owner-use.service.js';
import { KeyStore } from '../registry/key-store.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import type { MeDto } from './dto/me.dto.js';
import type { OwnerDto, PatronDto } from './dto/plan.dto.js';
import { Patrons } from './patreon/patrons.service.js';
import { OwnerPlans } from './plans/owner-plans.js';
import { UNBOUNDED } from './plans/plan.js';
import type { Principal } from './principal.js';

/** Tells who the owners are, which plan bounds them, and what they use. */
@Injectable()
export class OwnersService {
  constructor(
    private readonly keys: KeyStore,
    private readonly registry: RepositoryRegistry,
    private readonly plans: OwnerPlans,
    private readonly use: OwnerUseService,
    private readonly patrons: Patrons,
  ) {}

  async describe({ owner, admin, permissions, plan }: Principal): Promise<MeDto> {
    const limits = plan?.quotas ?? UNBOUNDED;
    const notice = admin ? undefined : this.plans.noticeOf(owner);
    return { owner, admin, plan: plan?.id ?? null, permissions, limits, use: await this.use.of(owner), notice };
  }

  /** Whoever has a key, a repository or a plan. */
  async list(): Promise<OwnerDto[]> {
    const [keys, repositories] = await Promise.all([this.keys.list(), this.registry.list()]);
    const names = [...[...keys, ...repositories].map(({ owner }) => owner), ...this.plans.owners()];
    return Promise.all([...new Set(names)].toSorted().map((owner) => this.find(owner)));
  }

  /** UNKNOWN_PLAN where there is no such plan; null takes it away. */
  async grant(owner: string, plan: string | null): Promise<OwnerDto> {
    await this.plans.grant(owner, plan);
    return this.find(owner);
  }

  private patronOf(owner: string): PatronDto | undefined {
    const record = this.patrons.find(owner);
    if (!record) return undefined;
    const { name, membership, confirmedAt, standing, isUnmapped } = record;
    const { patronStatus, tierIds, lastChargeStatus, nextChargeAt } = membership;
    const { phase } = standing;
    return { name, patronStatus, tierIds, lastChargeStatus, nextChargeAt, confirmedAt, phase, isUnmapped };
  }

  private async find(owner: string): Promise<OwnerDto> {
    const plan = this.plans.of(owner);
    const limits = plan?.quotas ?? UNBOUNDED;
    return { owner, plan: plan?.id ?? null, limits, use: await this.use.of(owner), patron: this.patronOf(owner) };
  }
}
