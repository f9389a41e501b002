import { ApiProperty } from '@nestjs/swagger';
import { TextField } from '../../common/fields.js';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
import type { OwnerUse } from '../../operations/owner-use.service.js';
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
}

export class PlanListDto {
  @ApiProperty({ type: [PlanDto], description: 'From the cheapest on.' })
  plans!: PlanDto[];
}

export class GrantPlanDto {
  @TextField({ required: true, maxLength: 32, description: 'Id of the plan.', example: 'supporter' })
  plan!: string;
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
}

export class OwnerListDto {
  @ApiProperty({ type: [OwnerDto] })
  owners!: OwnerDto[];
}
