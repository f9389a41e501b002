import { randomBytes } from 'node:crypto';
import { Body, Controller, Delete, Get, Param, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../common/envelope.js';
import { gitCredentials } from '../common/git-credentials.dto.js';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import type { StationRequest } from '../common/request-context.js';
import { Failure } from '../contracts/failure.js';
import { Idempotency, idempotencyScope } from '../operations/idempotency.js';
import { CredentialStore } from '../registry/credential-store.js';
import { Authenticated, Caller } from './access.decorator.js';
import { CredentialDto, CredentialListDto, credentialView, StoreCredentialDto } from './dto/credential.dto.js';
import type { Principal } from './principal.js';

const MAX_PER_OWNER = 100;

/** Git credentials that an owner stores once and clones with often. */
@ApiTags('auth')
@Controller('auth/credentials')
export class CredentialsController {
  constructor(
    private readonly stored: CredentialStore,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Authenticated({ permission: 'clone' })
  @ApiOperation({
    summary: 'Store Git credentials',
    description: 'Encrypted, for clones and updates of your own, and never shown again.',
  })
  @ApiResult(CredentialDto, { status: 201 })
  @ApiFailures('IDEMPOTENCY_KEY_REUSED')
  @IdempotencyHeader
  keep(
    @Req() request: StationRequest,
    @Caller() caller: Principal,
    @Body() { name, ...given }: StoreCredentialDto,
  ): Promise<Success<CredentialDto>> {
    return this.idempotency.answer(idempotencyScope(request, caller), async () => {
      const { owner } = caller;
      const secret = gitCredentials(given);
      if ((await this.stored.list(owner)).length >= MAX_PER_OWNER) {
        throw new Failure('BAD_REQUEST', `${MAX_PER_OWNER} credentials are stored already: remove some first.`);
      }
      const credentialId = `cred_${randomBytes(8).toString('hex')}`;
      const credential = { credentialId, owner, name, createdAt: Date.now(), secret };
      await this.stored.insert(credential);
      return success(credentialView(credential));
    });
  }

  @Get()
  @Authenticated({ permission: 'any' })
  @ApiOperation({ summary: 'List your stored Git credentials', description: 'Never what is secret in them.' })
  @ApiResult(CredentialListDto)
  async list(@Caller() { owner }: Principal): Promise<Success<CredentialListDto>> {
    return success({ credentials: (await this.stored.list(owner)).map(credentialView) });
  }

  @Delete(':id')
  @Authenticated({ permission: 'unload' })
  @ApiOperation({
    summary: 'Remove stored Git credentials',
    description: 'Repositories that were cloned with them can be updated no more.',
  })
  @ApiResult(CredentialDto)
  @ApiFailures('CREDENTIAL_NOT_FOUND', 'IDEMPOTENCY_KEY_REUSED')
  @IdempotencyHeader
  remove(
    @Req() request: StationRequest,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<Success<CredentialDto>> {
    return this.idempotency.answer(idempotencyScope(request, caller), async () => {
      const found = await this.stored.find(id);
      if (found?.owner !== caller.owner || !(await this.stored.remove(id))) {
        throw new Failure('CREDENTIAL_NOT_FOUND', 'You have stored no credentials with this id.');
      }
      return success(credentialView(found));
    });
  }
}
