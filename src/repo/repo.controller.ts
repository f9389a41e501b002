import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Audited, Authenticated, Caller } from '../auth/access.decorator.js';
import type { Principal } from '../auth/principal.js';
import { RepositoryAccess } from '../auth/repository-access.js';
import { success, type Success } from '../common/envelope.js';
import type { AuditNote } from '../common/request-context.js';
import { OperationPageDto } from '../common/openapi/operation.dto.js';
import { RepositoryDto } from '../common/openapi/repository.dto.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import { RepositoryListDto } from '../common/openapi/results.dto.js';
import { CloneDto, cloneOptions } from './dto/clone.dto.js';
import { InstallDto, RunDto, StopDto, UpdateDto } from './dto/operations.dto.js';
import { HistoryQueryDto, RepositoryLogQuery } from './dto/queries.dto.js';
import { RepositoryChangeDto } from './dto/repository-change.dto.js';
import { type Exchange, HttpExchange } from './exchange.js';
import { ApiLog } from './logs/api-log.decorator.js';
import { LogAnswersService, type LogAnswer } from './logs/log-answers.service.js';
import { LogSourceService } from './logs/log-source.service.js';
import { OperationReadsService, type OperationPage } from './operation-reads.service.js';
import { OperationRoute } from './operation-route.decorator.js';
import { RepoService } from './repo.service.js';
import { RestOperationsService } from './rest-operations.service.js';

const RepoId = () => Param('repoId');
const ApiRepoId = ApiParam({
  name: 'repoId',
  description: 'repoId or uid, in any letter case.',
  example: 'octocat-hello-world',
});

@ApiTags('repositories')
@Controller('repo')
export class RepoController {
  constructor(
    private readonly repos: RepoService,
    private readonly rest: RestOperationsService,
    private readonly access: RepositoryAccess,
    private readonly history: OperationReadsService,
    private readonly logSources: LogSourceService,
    private readonly logAnswers: LogAnswersService,
  ) {}

  @Post('clone')
  @OperationRoute('clone')
  clone(@HttpExchange() exchange: Exchange, @Body() body: CloneDto): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.clone(cloneOptions(body), context));
  }

  @Get('list')
  @Authenticated({ permission: 'read' })
  @ApiOperation({ summary: 'List the repositories that the caller may see' })
  @ApiResult(RepositoryListDto, { operation: 'list' })
  async list(@Caller() caller: Principal): Promise<Success<RepositoryListDto>> {
    return success(await this.repos.list(caller), { operation: 'list' });
  }

  @Get(':repoId')
  @Authenticated({ permission: 'read' })
  @ApiRepoId
  @ApiOperation({ summary: 'The registry entry of a repository', description: 'Touches no disk.' })
  @ApiResult(RepositoryDto, { operation: 'get', about: 'repository' })
  async get(@Caller() caller: Principal, @RepoId() repoId: string): Promise<Success<RepositoryDto>> {
    const repository = await this.repos.get(repoId, caller);
    return success(repository, { operation: 'get', repoId: repository.repoId, uid: repository.uid });
  }

  @Patch(':repoId')
  @Authenticated({ permission: 'update' })
  @ApiRepoId
  @ApiOperation({
    summary: 'Change who may see a repository, or what Git credentials it has',
    description: 'What is left out stays as it is.',
  })
  @ApiResult(RepositoryDto, { operation: 'patch', about: 'repository' })
  async change(
    @Caller() caller: Principal,
    @RepoId() repoId: string,
    @Body() body: RepositoryChangeDto,
    @Audited() note: (note: AuditNote) => void,
  ): Promise<Success<RepositoryDto>> {
    const repository = await this.repos.change(repoId, caller, body);
    note({ repository, detail: changesOf(body) });
    return success(repository, { operation: 'patch', repoId: repository.repoId, uid: repository.uid });
  }

  @Get(':repoId/status')
  @ApiRepoId
  @OperationRoute('status')
  status(@HttpExchange() exchange: Exchange, @RepoId() repoId: string): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('status', repoId, {}, context));
  }

  @Post(':repoId/install')
  @ApiRepoId
  @ApiBody({ type: InstallDto, required: false })
  @OperationRoute('install')
  install(
    @HttpExchange() exchange: Exchange,
    @RepoId() repoId: string,
    @Body() body: InstallDto,
  ): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('install', repoId, body, context));
  }

  @Post(':repoId/update')
  @ApiRepoId
  @ApiBody({ type: UpdateDto, required: false })
  @OperationRoute('update')
  update(
    @HttpExchange() exchange: Exchange,
    @RepoId() repoId: string,
    @Body() body: UpdateDto,
  ): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('update', repoId, body, context));
  }

  @Post(':repoId/run')
  @ApiRepoId
  @ApiBody({ type: RunDto, required: false })
  @OperationRoute('run')
  run(@HttpExchange() exchange: Exchange, @RepoId() repoId: string, @Body() body: RunDto): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('run', repoId, body, context));
  }

  @Post(':repoId/stop')
  @ApiRepoId
  @ApiBody({ type: StopDto, required: false })
  @OperationRoute('stop')
  stop(@HttpExchange() exchange: Exchange, @RepoId() repoId: string, @Body() body: StopDto): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('stop', repoId, body, context));
  }

  @Delete(':repoId')
  @ApiRepoId
  @OperationRoute('unload')
  unload(@HttpExchange() exchange: Exchange, @RepoId() repoId: string): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('unload', repoId, {}, context));
  }

  @Get(':repoId/logs')
  @Authenticated({ permission: 'read', isExempt: true })
  @ApiRepoId
  @ApiOperation({
    summary: 'Output of the app, or of an operation',
    description:
      'With `Accept: text/event-stream` it follows: `event: log`, `id:` is the cursor, until the log can no longer grow.',
  })
  @ApiLog()
  @ApiFailures('OPERATION_NOT_FOUND')
  async logs(
    @HttpExchange() exchange: Exchange,
    @RepoId() repoId: string,
    @Query() query: RepositoryLogQuery,
  ): Promise<LogAnswer> {
    const entry = await this.access.toRead(repoId, exchange.caller);
    const target = await this.logSources.choose(entry, query.source ?? 'app', query.operationId);
    return this.logAnswers.answer(exchange, target, query);
  }

  @Get(':repoId/operations')
  @Authenticated({ permission: 'read' })
  @ApiRepoId
  @ApiOperation({ summary: 'History of a repository, newest first' })
  @ApiResult(OperationPageDto)
  async operations(
    @Caller() caller: Principal,
    @RepoId() repoId: string,
    @Query() query: HistoryQueryDto,
  ): Promise<Success<OperationPage>> {
    return success(await this.history.listOf(repoId, caller, query));
  }
}

/** For the audit log: nothing secret. */
const changesOf = ({ visibility, credentials }: RepositoryChangeDto): string =>
  [visibility && `visibility: ${visibility}`, credentials && 'credentials'].filter(Boolean).join(', ');
