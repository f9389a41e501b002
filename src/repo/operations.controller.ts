import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Authenticated, Caller } from '../auth/access.decorator.js';
import type { Principal } from '../auth/principal.js';
import { aboutOperation, success, type Success } from '../common/envelope.js';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { OperationDto, OperationPageDto } from '../common/openapi/operation.dto.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import type { Operation } from '../contracts/shapes.js';
import { HistoryQueryDto, OperationLogQuery } from './dto/queries.dto.js';
import { type Exchange, HttpExchange } from './exchange.js';
import { ApiLog } from './logs/api-log.decorator.js';
import { LogAnswersService, type LogAnswer } from './logs/log-answers.service.js';
import { OperationReadsService, type OperationPage } from './operation-reads.service.js';
import { RestOperationsService } from './rest-operations.service.js';

@ApiTags('operations')
@Controller('operations')
export class OperationsController {
  constructor(
    private readonly reads: OperationReadsService,
    private readonly rest: RestOperationsService,
    private readonly logAnswers: LogAnswersService,
  ) {}

  @Get()
  @Authenticated({ permission: 'read' })
  @ApiOperation({
    summary: 'History of operations, newest first',
    description: 'Of the caller, and on the repositories that they may see. `status` leaves no row.',
  })
  @ApiResult(OperationPageDto)
  async list(@Caller() caller: Principal, @Query() query: HistoryQueryDto): Promise<Success<OperationPage>> {
    return success(await this.reads.list(caller, query));
  }

  @Get(':id')
  @Authenticated({ permission: 'read' })
  @ApiOperation({ summary: 'One operation: progress, queue position, outcome' })
  @ApiResult(OperationDto, { about: 'operation' })
  @ApiFailures('OPERATION_NOT_FOUND')
  async get(@Caller() caller: Principal, @Param('id') id: string): Promise<Success<Operation>> {
    return aboutOperation(await this.reads.find(id, caller));
  }

  @Get(':id/logs')
  @Authenticated({ permission: 'read', isExempt: true })
  @ApiOperation({
    summary: 'Output of one operation, also of a failed clone',
    description: 'With `Accept: text/event-stream` it follows, until the log can no longer grow.',
  })
  @ApiLog()
  @ApiFailures('OPERATION_NOT_FOUND')
  async logs(
    @HttpExchange() exchange: Exchange,
    @Param('id') id: string,
    @Query() query: OperationLogQuery,
  ): Promise<LogAnswer> {
    return this.logAnswers.answer(exchange, await this.reads.find(id, exchange.caller), query);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Authenticated({ permission: 'any' })
  @IdempotencyHeader
  @ApiOperation({
    summary: 'Cancel an operation',
    description: 'Answers once its processes are dead. Needs the permission that the operation itself needs.',
  })
  @ApiResult(OperationDto, { about: 'operation' })
  @ApiFailures('OPERATION_NOT_FOUND', 'ALREADY_FINISHED', 'FORBIDDEN', 'IDEMPOTENCY_KEY_REUSED')
  cancel(@HttpExchange() exchange: Exchange, @Param('id') id: string): Promise<Success<Operation>> {
    return this.rest.cancel(exchange, () => this.reads.cancel(id, exchange.caller));
  }
}
