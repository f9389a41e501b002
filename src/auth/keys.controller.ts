import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../common/envelope.js';
import type { AuditNote } from '../common/request-context.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import { Idempotent } from '../idempotency/idempotent.decorator.js';
import { Audited, Authenticated, Caller } from './access.decorator.js';
import { AdminKeyService } from './admin-key.service.js';
import { ApiKeysService } from './api-keys.service.js';
import { CreateKeyDto, KeyDto, KeyListDto, keyView } from './dto/key.dto.js';
import type { Principal } from './principal.js';

@ApiTags('auth')
@Controller('auth/keys')
export class KeysController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly adminKey: AdminKeyService,
  ) {}

  @Post()
  @Authenticated({ permission: 'keys' })
  @ApiOperation({
    summary: 'Make an API key',
    description:
      'The answer holds the key, shown this once. An administrator makes keys for anybody; others for themselves, which may do no more than theirs, live no longer, and make no keys.',
  })
  @ApiResult(KeyDto, { status: 201 })
  @ApiFailures('PLAN_LIMIT', 'PLAN_LAPSED')
  @Idempotent()
  async create(
    @Caller() caller: Principal,
    @Body() wanted: CreateKeyDto,
    @Audited() note: (note: AuditNote) => void,
  ): Promise<Success<KeyDto>> {
    const { key, stored } = await this.keys.create(wanted, caller);
    note({ target: stored.id, detail: `for ${stored.owner}: ${stored.admin ? 'admin' : stored.scopes.join(', ')}` });
    return success(keyView(stored, key));
  }

  @Get()
  @Authenticated({ permission: 'keys' })
  @ApiOperation({
    summary: 'List API keys',
    description: 'Your own; an administrator sees everybody’s. Never the keys themselves.',
  })
  @ApiResult(KeyListDto)
  async list(@Caller() caller: Principal): Promise<Success<KeyListDto>> {
    return success({ keys: (await this.keys.list(caller)).map((key) => keyView(key)) });
  }

  @Delete(':id')
  @Authenticated({ permission: 'keys' })
  @ApiOperation({ summary: 'Revoke an API key', description: 'At once; its sockets are closed within seconds.' })
  @ApiResult(KeyDto)
  @ApiFailures('KEY_NOT_FOUND')
  @Idempotent()
  async revoke(@Caller() caller: Principal, @Param('id') id: string): Promise<Success<KeyDto>> {
    return success(keyView(await this.adminKey.revoke(id, caller)));
  }
}
