import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Authenticated, Caller } from '../auth/access.decorator.js';
import type { Principal } from '../auth/principal.js';
import { RepositoryAccess } from '../auth/repository-access.js';
import { success, type Success } from '../common/envelope.js';
import { OperationPageDto } from '../common/openapi/operation.dto.js';
import { RepositoryDto } from '../common/openapi/repository.dto.js';
import { ApiFailures, ApiLog, ApiResult } from '../common/openapi/responses.js';
import * as results from '../common/openapi/results.dto.js';
import type { FailureCode } from '../contracts/failure-codes.js';
import { CloneDto, cloneOptions } from './dto/clone.dto.js';
import { InstallDto, RunDto, StopDto, UpdateDto, VisibilityDto } from './dto/operations.dto.js';
import { HistoryQueryDto, RepositoryLogQuery } from './dto/queries.dto.js';
import { type Exchange, HttpExchange } from './exchange.js';
import { LogAnswersService, type LogAnswer } from './logs/log-answers.service.js';
import { LogSourceService } from './logs/log-source.service.js';
import { OperationReadsService, type OperationPage } from './operation-reads.service.js';
import { OperationRoute } from './operation-route.decorator.js';
import { RepoService } from './repo.service.js';
import { RestOperationsService } from './rest-operations.service.js';

/** An update that restarts the app installs what it needs, and starts it. */
const OF_A_RESTART: FailureCode[] = ['INSTALL_FAILED', 'REGISTRY_UNREACHABLE', 'SCRIPT_NOT_FOUND', 'APP_EXITED'];

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
  @OperationRoute('clone', {
    summary: 'Clone a repository',
    description: 'Only what may lie behind a public address is fetched, unless the administrator lists its host.',
    result: results.CloneResultDto,
    failures: [
      'INVALID_URL',
      'INVALID_BRANCH',
      'GIT_HOST_NOT_ALLOWED',
      'ALREADY_LOADED',
      'REPO_ID_TAKEN',
      'GIT_AUTH_REQUIRED',
      'GIT_REPOSITORY_NOT_FOUND',
      'GIT_BRANCH_NOT_FOUND',
      'GIT_HOST_KEY_UNKNOWN',
      'GIT_FAILED',
      'EMPTY_REPOSITORY',
      'GIT_UNREACHABLE',
    ],
  })
  clone(@HttpExchange() exchange: Exchange, @Body() body: CloneDto): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.clone(cloneOptions(body), context));
  }

  @Get('list')
  @Authenticated({ permission: 'read' })
  @ApiOperation({ summary: 'List the repositories that the caller may see' })
  @ApiResult(results.RepositoryListDto, { operation: 'list' })
  async list(@Caller() caller: Principal): Promise<Success<results.RepositoryListDto>> {
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
  @ApiOperation({ summary: 'Change who may see a repository' })
  @ApiResult(RepositoryDto, { operation: 'patch', about: 'repository' })
  async patch(
    @Caller() caller: Principal,
    @RepoId() repoId: string,
    @Body() { visibility }: VisibilityDto,
  ): Promise<Success<RepositoryDto>> {
    const repository = await this.repos.setVisibility(repoId, caller, visibility);
    return success(repository, { operation: 'patch', repoId: repository.repoId, uid: repository.uid });
  }

  @Get(':repoId/status')
  @ApiRepoId
  @OperationRoute('status', {
    summary: 'Git status, scripts, dependencies, disk use and process',
    description: 'Read afresh in a thread; never waits behind a clone or an install.',
    result: results.StatusResultDto,
  })
  status(@HttpExchange() exchange: Exchange, @RepoId() repoId: string): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('status', repoId, {}, context));
  }

  @Post(':repoId/install')
  @ApiRepoId
  @ApiBody({ type: InstallDto, required: false })
  @OperationRoute('install', {
    summary: 'Install dependencies',
    result: results.InstallResultDto,
    failures: [
      'NO_PACKAGE_JSON',
      'BAD_PACKAGE_JSON',
      'INSTALL_FAILED',
      'PACKAGE_MANAGER_UNAVAILABLE',
      'ENGINE_MISMATCH',
      'REGISTRY_UNREACHABLE',
    ],
  })
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
  @OperationRoute('update', {
    summary: 'Fetch the tracked branch or tag and move to it',
    description:
      'Upstream wins for tracked files; what it overwrites is saved under a ref that the result names. With `restart` a ' +
      'version that does not prove itself is undone: the context of UPDATE_ROLLED_BACK has `from`, `to`, `failedStep` ' +
      '(install, stop, start or health), `outcomes` and `logs` of the `old` and the `new` version.',
    result: results.UpdateResultDto,
    failures: [
      'INVALID_BRANCH',
      'GIT_HOST_NOT_ALLOWED',
      'GIT_AUTH_REQUIRED',
      'GIT_REPOSITORY_NOT_FOUND',
      'GIT_BRANCH_NOT_FOUND',
      'GIT_HOST_KEY_UNKNOWN',
      'GIT_FAILED',
      'EMPTY_REPOSITORY',
      'UPDATE_ROLLED_BACK',
      'ROLLBACK_FAILED',
      'GIT_UNREACHABLE',
      ...OF_A_RESTART,
    ],
  })
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
  @OperationRoute('run', {
    summary: 'Run a script of package.json',
    description:
      'Answers once the app listens (`ready: true`), has exited, or `readyTimeoutMs` is over; with `background: false` ' +
      'at its end, 200 whatever the exit code.',
    result: results.RunResultDto,
    failures: [
      'ENV_NOT_ALLOWED',
      'ALREADY_RUNNING',
      'DEPENDENCIES_NOT_INSTALLED',
      'PORT_IN_USE',
      'NO_PACKAGE_JSON',
      'BAD_PACKAGE_JSON',
      'SCRIPT_NOT_FOUND',
      'APP_EXITED',
      'PACKAGE_MANAGER_UNAVAILABLE',
      'REGISTRY_UNREACHABLE',
    ],
  })
  run(@HttpExchange() exchange: Exchange, @RepoId() repoId: string, @Body() body: RunDto): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('run', repoId, body, context));
  }

  @Post(':repoId/stop')
  @ApiRepoId
  @ApiBody({ type: StopDto, required: false })
  @OperationRoute('stop', {
    summary: 'Stop the app',
    description: 'Answers when every process of it is dead and its port is free; `alreadyStopped` when nothing runs.',
    result: results.StopResultDto,
  })
  stop(@HttpExchange() exchange: Exchange, @RepoId() repoId: string, @Body() body: StopDto): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('stop', repoId, body, context));
  }

  @Delete(':repoId')
  @ApiRepoId
  @OperationRoute('unload', {
    summary: 'Unload a repository',
    description: 'Stops the app, cancels what is queued, removes workspace, cache and entry. A second call joins it.',
    result: results.UnloadResultDto,
  })
  unload(@HttpExchange() exchange: Exchange, @RepoId() repoId: string): Promise<Success<unknown>> {
    return this.rest.perform(exchange, (context) => this.repos.submit('unload', repoId, {}, context));
  }

  @Get(':repoId/logs')
  @Authenticated({ permission: 'read', isRelief: true })
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
