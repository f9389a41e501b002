import { ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operation-names.js';
import { OPERATION_STATUSES, type Operation, type OperationStatus } from '../../contracts/shapes.js';
import { FailureDto } from './problem.dto.js';
import { IsolationDto, LimitsDto, NetworkDto } from './repository.dto.js';
import * as results from './results.dto.js';

const RESULTS = [
  results.CloneResultDto,
  results.InstallResultDto,
  results.UpdateResultDto,
  results.RunResultDto,
  results.StopResultDto,
  results.StatusResultDto,
  results.UnloadResultDto,
];

@ApiExtraModels(...RESULTS)
@ApiSchema({
  description:
    'The record of an operation. No outcome has an `operationId` with a `status`, by which the two can be told apart.',
})
export class OperationDto implements Operation {
  @ApiProperty({ description: 'Names the operation.', example: 'op_e4af878c9b621e3816b3' })
  operationId!: string;

  @ApiProperty({ enum: OPERATION_NAMES, enumName: 'OperationName', description: 'What is done.' })
  operation!: OperationName;

  @ApiProperty({ description: 'Of the repository, unique for its owner.', example: 'octocat-hello-world' })
  repoId!: string;

  @ApiProperty({ description: 'Of the repository, unique on the station.', example: 'r_3f9c2ab81d4e6f70' })
  uid!: string;

  @ApiProperty({ description: 'Whose key asked for it.', example: 'admin' })
  owner!: string;

  @ApiProperty({ enum: OPERATION_STATUSES, enumName: 'OperationStatus', description: 'How far it is.' })
  status!: OperationStatus;

  @ApiProperty({ type: 'integer', required: false, description: 'While it is queued; 1 is next.' })
  queuePosition?: number;

  @ApiProperty({
    description: 'What it is at, as `resolving` or `installing`; null before and after.',
    type: String,
    nullable: true,
    example: 'receiving objects',
  })
  phase!: string | null;

  @ApiProperty({
    description: '0 to 100; null where it cannot be told.',
    type: Number,
    nullable: true,
    minimum: 0,
    maximum: 100,
  })
  percent!: number | null;

  @ApiProperty({ description: 'For people: what it is doing.', type: String, nullable: true })
  message!: string | null;

  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds.' })
  queuedAt!: number;

  @ApiProperty({ type: 'integer', required: false, description: 'Epoch milliseconds.' })
  startedAt?: number;

  @ApiProperty({ type: 'integer', required: false, description: 'Epoch milliseconds.' })
  finishedAt?: number;

  @ApiProperty({ type: 'integer', description: 'Milliseconds, counted from the start, not from queueing.' })
  timeoutMs!: number;

  @ApiProperty({ type: IsolationDto })
  isolation!: IsolationDto;

  @ApiProperty({
    type: NetworkDto,
    description: 'Of git in a clone, a status or an update; else of the app or install.',
  })
  network!: NetworkDto;

  @ApiProperty({
    type: LimitsDto,
    required: false,
    description: 'Left out of an operation that an earlier version of the station has recorded.',
  })
  limits?: LimitsDto;

  @ApiProperty({
    oneOf: RESULTS.map((result) => ({ $ref: getSchemaPath(result) })),
    required: false,
    description: 'Once it has succeeded: the `result` that its route answers with.',
  })
  result?: unknown;

  @ApiProperty({ type: FailureDto, required: false, description: 'Once it has failed or was cancelled.' })
  error?: FailureDto;
}

export class OperationPageDto {
  @ApiProperty({ type: [OperationDto], description: 'Newest first.' })
  operations!: OperationDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Pass as `cursor` for the next page; null at the end.' })
  nextCursor!: string | null;
}

class LogLineDto {
  @ApiProperty({ type: 'integer', description: 'Counts from 1 within its log.' })
  seq!: number;

  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds.' })
  time!: number;

  @ApiProperty({
    description: '`system` is what the station says.',
    enum: ['stdout', 'stderr', 'system'],
    enumName: 'LogStream',
  })
  stream!: 'stdout' | 'stderr' | 'system';

  @ApiProperty({ description: 'One line, without its end; colours (ANSI) are kept.' })
  text!: string;
}

export class LogPageDto {
  @ApiProperty({ description: 'In the order in which they were written.', type: [LogLineDto] })
  lines!: LogLineDto[];

  @ApiProperty({ description: 'Pass as `cursor` to go on from here.', example: 'op_e4af878c9b621e3816b3.42' })
  nextCursor!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Lines of this page that are no longer kept: with no `lines` at all, the whole log was removed.',
  })
  dropped!: number;
}
