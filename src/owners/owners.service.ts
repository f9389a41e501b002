import { Injectable } from '@nestjs/common';
import { OwnerPlans } from '../auth/owner-plans.js';
import { Patrons } from '../auth/patreon/patrons.service.js';
import { UNBOUNDED } from '../auth/plans/plan.js';
import type { Principal } from '../auth/principal.js';
import { KeyStore } from '../registry/key-store.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import type { MeDto } from './dto/me.dto.js';
import type { OwnerDto, OwnerPageDto, OwnerQueryDto, PatronDto } from './dto/owner.dto.js';
import { OwnerUseService } from './owner-use.service.js';

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

  /** Whoever has a key, a repository or a plan, by name. */
  async page({ owner, phase, cursor, limit }: OwnerQueryDto & { limit: number }): Promise<OwnerPageDto> {
    const wanted = (await this.names()).filter(
      (name) =>
        (owner === undefined || name === owner) &&
        (phase === undefined || this.patrons.find(name)?.standing.phase === phase) &&
        (cursor === undefined || name > cursor),
    );
    const owners: OwnerDto[] = [];
    // One after the other: the disk of each is measured.
    for (const name of wanted.slice(0, limit)) owners.push(await this.find(name));
    return { owners, nextCursor: wanted.length > limit ? (owners.at(-1)?.owner ?? null) : null };
  }

  /** UNKNOWN_PLAN where there is no such plan; null takes it away. */
  async grant(owner: string, plan: string | null): Promise<OwnerDto> {
    await this.plans.grant(owner, plan);
    return this.find(owner);
  }

  private async names(): Promise<string[]> {
    const [keys, repositories] = await Promise.all([this.keys.owners(), this.registry.list()]);
    return [...new Set([...keys, ...repositories.map(({ owner }) => owner), ...this.plans.owners()])].toSorted();
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
