import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, IntegerField, TextField } from '../../common/fields.js';
import { FAILURE_CODE_NAMES, type FailureCode } from '../../contracts/failure-codes.js';
import type { AuditRecord } from '../../registry/audit-store.js';

const OUTCOMES = ['pending', 'succeeded', 'failed', 'cancelled', 'refused'] as const;
const DOORS = ['rest', 'socket', 'station'] as const;
const MAX_TIME = 8.64e15;

export class AuditQueryDto {
  @TextField({ maxLength: 64, description: 'Only what this owner did.' })
  owner?: string;

  @TextField({ maxLength: 100, description: 'Only this: an operation, or method and route.', example: 'clone' })
  action?: string;

  @TextField({ maxLength: 200, description: 'Only what was done to this repository: a repoId or a uid.' })
  repository?: string;

  @TextField({ maxLength: 200, description: 'Only what was done to this owner, key, credentials or operation.' })
  target?: string;

  @ChoiceField({ values: OUTCOMES, enumName: 'AuditOutcome', description: 'Only what ended so.' })
  outcome?: AuditRecord['outcome'];

  @IntegerField({ minimum: 0, maximum: MAX_TIME, query: true, description: 'Epoch milliseconds: not before.' })
  since?: number;

  @IntegerField({ minimum: 0, maximum: MAX_TIME, query: true, description: 'Epoch milliseconds: not after.' })
  until?: number;

  @IntegerField({ minimum: 1, maximum: 200, query: true, default: 50, description: 'How many at most.' })
  limit?: number;

  @TextField({ maxLength: 100, description: '`nextCursor` of the page before.' })
  cursor?: string;
}

export class AuditRecordDto implements AuditRecord {
  @ApiProperty({ description: 'Names the record.', example: 'au_5c1f0e6b7a8d9243' })
  auditId!: string;

  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds.' })
  time!: number;

  @ApiProperty({ description: 'Who did it.', example: 'alice' })
  owner!: string;

  @ApiProperty({ description: 'Which of the owner’s keys.' })
  keyId!: string;

  @ApiProperty({
    enum: DOORS,
    enumName: 'AuditDoor',
    description: '`station`: the station itself, which brings an app back.',
  })
  door!: AuditRecord['door'];

  @ApiProperty({ type: String, nullable: true, description: 'Network address of the caller.', example: '203.0.113.7' })
  address!: string | null;

  @ApiProperty({ description: 'The operation; for all else method and route.', example: 'clone' })
  action!: string;

  @ApiProperty({ description: 'Of the repository; null where it is about none.', type: String, nullable: true })
  repoId!: string | null;

  @ApiProperty({
    description: 'Of the repository; null where it is about none, or was refused.',
    type: String,
    nullable: true,
  })
  uid!: string | null;

  @ApiProperty({ description: 'What it has started; null where it has started none.', type: String, nullable: true })
  operationId!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What else it was done to: an owner, or the id of a key, of stored credentials, of an operation.',
    example: 'alice',
  })
  target!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What exactly, where the action does not say it: the plan that was granted, whose key was made.',
    example: 'supporter',
  })
  detail!: string | null;

  @ApiProperty({ enum: OUTCOMES, enumName: 'AuditOutcome', description: '`refused`: it was never begun.' })
  outcome!: AuditRecord['outcome'];

  @ApiProperty({
    enum: FAILURE_CODE_NAMES,
    enumName: 'FailureCode',
    nullable: true,
    description: 'Why it failed or was refused; null: it was not.',
  })
  code!: FailureCode | null;
}

export class AuditPageDto {
  @ApiProperty({ type: [AuditRecordDto], description: 'Newest first.' })
  records!: AuditRecordDto[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null: this is the last.' })
  nextCursor!: string | null;
}
