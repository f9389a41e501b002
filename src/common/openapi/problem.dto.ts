import { ApiProperty } from '@nestjs/swagger';
import { FAILURE_CODE_NAMES, type FailureCode } from '../../contracts/failure-codes.js';
import type { FailureContext } from '../../contracts/failure.js';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operation-names.js';

/** A failure as Operation.error and the `error` of `repo-error` hold it. */
export class FailureDto {
  @ApiProperty({ enum: FAILURE_CODE_NAMES, enumName: 'FailureCode', description: 'Stable: branch on this.' })
  code!: FailureCode;

  @ApiProperty({ description: 'The reason first, then what was run.' })
  message!: string;

  @ApiProperty({ description: 'Whether the same request may succeed later, unchanged.' })
  retryable!: boolean;

  @ApiProperty({ description: 'What to do next.' })
  suggestion!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Facts beside it, such as the last lines of output.',
  })
  context!: FailureContext;
}

/** `application/problem+json` (RFC 9457): how every failed request is answered. */
export class Problem {
  @ApiProperty({
    description: 'Where the code is documented.',
    format: 'uri-reference',
    example: '/docs#REPO_NOT_FOUND',
  })
  type!: string;

  @ApiProperty({ description: 'What the code means, in short.', example: 'No such repository' })
  title!: string;

  @ApiProperty({ type: 'integer', description: 'The HTTP status.', example: 404 })
  status!: number;

  @ApiProperty({ description: 'What happened this time: the reason first, then what was run.' })
  detail!: string;

  @ApiProperty({ enum: FAILURE_CODE_NAMES, enumName: 'FailureCode', description: 'Stable: branch on this.' })
  code!: FailureCode;

  @ApiProperty({
    enum: OPERATION_NAMES,
    enumName: 'OperationName',
    required: false,
    description: 'The operation that was asked for.',
  })
  operation?: OperationName;

  @ApiProperty({ required: false, description: 'The record of the operation, where it got as far as having one.' })
  operationId?: string;

  @ApiProperty({ description: 'Of the repository that it is about.', required: false, example: 'octocat-hello-world' })
  repoId?: string;

  @ApiProperty({ description: 'Whether the same request may succeed later, unchanged.' })
  retryable!: boolean;

  @ApiProperty({ description: 'What to do next.' })
  suggestion!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Facts beside it, such as the last lines of output or the ids in question.',
  })
  context!: FailureContext;

  @ApiProperty({ description: 'Also in the X-Request-Id header and in the log of the server.' })
  requestId!: string;
}
