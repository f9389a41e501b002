import { ApiProperty } from '@nestjs/swagger';
import { TextField } from '../../common/fields.js';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
import type { OwnerUse } from '../../operations/owner-use.service.js';
import type { Standing } from '../../registry/patron-store.js';
import type { Plan, Quotas } from '../plans/plan.js';

const Quota = (description: string): PropertyDecorator =>
  ApiProperty({ type: 'integer', nullable: true, description: `${description}; null: no limit.` });

export class QuotasDto implements Quotas {
  @Quota('Docked repositories')
  repositories!: number | null;

  @Quota('Apps that run at the same time')
  runningApps!: number | null;

  @Quota('Operations at the same time, further ones wait')
  operationsAtOnce!: number | null;

  @Quota('Operations that wait in the queue')
  queuedOperations!: number | null;

  @Quota('MiB of memory of one install or app, and never more than the station gives')
  memoryPerAppMb!: number | null;

  @Quota('MiB of disk of one repository, and never more than the station gives')
  diskPerRepositoryMb!: number | null;

  @Quota('MiB of disk of all repositories together')
  diskMb!: number | null;

  @Quota('Requests and messages a minute')
  requestsPerMinute!: number | null;

  @Quota('Keys beside the one of the sign-in')
  keys!: number | null;
}

export class OwnerUseDto implements OwnerUse {
  @ApiProperty({ type: 'integer', description: 'Docked repositories.' })
  repositories!: number;

  @ApiProperty({ type: 'integer', description: 'Apps that run.' })
  runningApps!: number;

  @ApiProperty({ type: 'integer', description: 'Operations that are being carried out.' })
  operationsAtOnce!: number;

  @ApiProperty({ type: 'integer', description: 'Operations that wait in the queue.' })
  queuedOperations!: number;

  @ApiProperty({ type: 'integer', description: 'MiB of disk of all repositories, at most 30 seconds old.' })
  diskMb!: number;
}

export class PlanDto implements Plan {
  @ApiProperty({ example: 'supporter' })
  id!: string;

  @ApiProperty({ example: 'Supporter' })
  name!: string;

  @ApiProperty({ enum: PERMISSIONS, enumName: 'Permission', isArray: true })
  permissions!: readonly Permission[];

  @ApiProperty({ type: QuotasDto })
  quotas!: QuotasDto;

  @ApiProperty({ type: [String], description: 'Ids of the Patreon tiers that it comes with.' })
  tiers!: readonly string[];
}

export class PlanListDto {
  @ApiProperty({ type: [PlanDto], description: 'From the cheapest on.' })
  plans!: PlanDto[];
}

export class GrantPlanDto {
  @TextField({ required: true, maxLength: 32, description: 'Id of the plan.', example: 'supporter' })
  plan!: string;
}

export class PatronDto {
  @ApiProperty({ description: 'As Patreon has it.', example: 'Ada' })
  name!: string;

  @ApiProperty({ type: String, nullable: true, example: 'active_patron' })
  patronStatus!: string | null;

  @ApiProperty({ type: [String], description: 'Ids of the tiers that the patron is entitled to.' })
  tierIds!: readonly string[];

  @ApiProperty({ type: String, nullable: true, example: 'Paid' })
  lastChargeStatus!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Epoch milliseconds.' })
  nextChargeAt!: number | null;

  @ApiProperty({ type: 'integer', description: 'When Patreon has last said so, epoch milliseconds.' })
  confirmedAt!: number;

  @ApiProperty({ enum: ['active', 'grace', 'lapsed'] })
  phase!: Standing['phase'];

  @ApiProperty({ description: 'No plan names one of the tiers, so the cheapest stands in its place.' })
  isUnmapped!: boolean;
}

export class OwnerDto {
  @ApiProperty({ example: 'alice' })
  owner!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The plan that bounds the owner; null: none does.' })
  plan!: string | null;

  @ApiProperty({ type: QuotasDto, description: 'What the plan allows.' })
  limits!: QuotasDto;

  @ApiProperty({ type: OwnerUseDto, description: 'Over all keys of the owner.' })
  use!: OwnerUseDto;

  @ApiProperty({ type: PatronDto, required: false, description: 'Of who has signed in with Patreon.' })
  patron?: PatronDto;
}

export class OwnerListDto {
  @ApiProperty({ type: [OwnerDto] })
  owners!: OwnerDto[];
}
