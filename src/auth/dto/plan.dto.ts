import { ApiProperty } from '@nestjs/swagger';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
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

export class PlanDto implements Plan {
  @ApiProperty({ description: 'Names the plan.', example: 'supporter' })
  id!: string;

  @ApiProperty({ description: 'For people.', example: 'Supporter' })
  name!: string;

  @ApiProperty({ description: 'What its owner may do.', enum: PERMISSIONS, enumName: 'Permission', isArray: true })
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
