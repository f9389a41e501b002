import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../common/envelope.js';
import { gitCredentials } from '../common/git-credentials.dto.js';
import type { AuditNote } from '../common/request-context.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import { Idempotent } from '../idempotency/idempotent.decorator.js';
import { Audited, Authenticated, Caller } from './access.decorator.js';
import { CredentialDto, CredentialListDto, credentialView, StoreCredentialDto } from './dto/credential.dto.js';
import { GitCredentialsService } from './git-credentials.service.js';
import type { Principal } from './principal.js';

@ApiTags('auth')
@Controller('auth/credentials')
export class CredentialsController {
  constructor(private readonly credentials: GitCredentialsService) {}

  @Post()
  @Authenticated({ permission: 'clone' })
  @ApiOperation({
    summary: 'Store Git credentials',
    description: 'Encrypted, for clones and updates of your own, and never shown again.',
  })
  @ApiResult(CredentialDto, { status: 201 })
  @Idempotent()
  async store(
    @Caller() caller: Principal,
    @Body() { name, ...given }: StoreCredentialDto,
    @Audited() note: (note: AuditNote) => void,
  ): Promise<Success<CredentialDto>> {
    const stored = await this.credentials.keep(caller.owner, name, gitCredentials(given));
    note({ target: stored.credentialId, detail: stored.name });
    return success(credentialView(stored));
  }

  @Get()
  @Authenticated({ permission: 'any' })
  @ApiOperation({ summary: 'List your stored Git credentials', description: 'Never what is secret in them.' })
  @ApiResult(CredentialListDto)
  async list(@Caller() { owner }: Principal): Promise<Success<CredentialListDto>> {
    return success({ credentials: (await this.credentials.listOf(owner)).map(credentialView) });
  }

  @Delete(':id')
  @Authenticated({ permission: 'unload' })
  @ApiOperation({
    summary: 'Remove stored Git credentials',
    description: 'Repositories that use them cannot be updated until they are given others.',
  })
  @ApiResult(CredentialDto)
  @ApiFailures('CREDENTIAL_NOT_FOUND')
  @Idempotent()
  async remove(@Caller() caller: Principal, @Param('id') id: string): Promise<Success<CredentialDto>> {
    return success(credentialView(await this.credentials.remove(caller.owner, id)));
  }
}
