import { ApiProperty } from '@nestjs/swagger';
import { QuotasDto } from '../../auth/dto/plan.dto.js';
import { ChoiceField, IntegerField, TextField } from '../../common/fields.js';
import type { Standing } from '../../registry/patron-store.js';
import type { OwnerUse } from '../owner-use.service.js';

const PHASES = ['active', 'grace', 'lapsed'] as const satisfies Standing['phase'][];

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

export class GrantPlanDto {
  @TextField({ required: true, maxLength: 32, description: 'Id of the plan.', example: 'supporter' })
  plan!: string;
}

export class PatronDto {
  @ApiProperty({ description: 'As Patreon has it.', example: 'Ada' })
  name!: string;

  @ApiProperty({
    description: 'As Patreon has it; null: has never pledged.',
    type: String,
    nullable: true,
    example: 'active_patron',
  })
  patronStatus!: string | null;

  @ApiProperty({ type: [String], description: 'Ids of the tiers that the patron is entitled to.' })
  tierIds!: readonly string[];

  @ApiProperty({
    description: 'As Patreon has it; null: there was no charge.',
    type: String,
    nullable: true,
    example: 'Paid',
  })
  lastChargeStatus!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Epoch milliseconds.' })
  nextChargeAt!: number | null;

  @ApiProperty({ type: 'integer', description: 'When Patreon has last said so, epoch milliseconds.' })
  confirmedAt!: number;

  @ApiProperty({
    description: '`grace`: as active, until the grace is over. `lapsed`: may read, stop and unload.',
    enum: PHASES,
    enumName: 'PatronPhase',
  })
  phase!: Standing['phase'];

  @ApiProperty({ description: 'No plan names one of the tiers, so the cheapest stands in its place.' })
  isUnmapped!: boolean;
}

export class OwnerDto {
  @ApiProperty({ description: 'Names the owner.', example: 'alice' })
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

export class OwnerQueryDto {
  @TextField({ maxLength: 64, description: 'Only this one.' })
  owner?: string;

  @ChoiceField({ values: PHASES, enumName: 'PatronPhase', description: 'Only patrons who stand so.' })
  phase?: Standing['phase'];

  @IntegerField({ minimum: 1, maximum: 200, query: true, default: 50, description: 'How many at most.' })
  limit?: number;

  @TextField({ maxLength: 64, description: '`nextCursor` of the page before.' })
  cursor?: string;
}

export class OwnerPageDto {
  @ApiProperty({ type: [OwnerDto], description: 'By name.' })
  owners!: OwnerDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'alice',
    description: 'For the next page; null: this is the last.',
  })
  nextCursor!: string | null;
}
