import { Body, Controller, Delete, Get, Param, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../common/envelope.js';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import type { StationRequest } from '../common/request-context.js';
import { Idempotency, idempotencyScope } from '../idempotency/idempotency.service.js';
import { Authenticated, Caller } from './access.decorator.js';
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
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Authenticated({ permission: 'keys' })
  @ApiOperation({
    summary: 'Make an API key',
    description:
      'The answer holds the key, shown this once. An administrator makes keys for anybody; others for themselves, which may do no more than theirs, live no longer, and make no keys.',
  })
  @ApiResult(KeyDto, { status: 201 })
  @ApiFailures('PLAN_LIMIT', 'PLAN_LAPSED', 'IDEMPOTENCY_KEY_REUSED')
  @IdempotencyHeader
  create(
    @Req() request: StationRequest,
    @Caller() caller: Principal,
    @Body() wanted: CreateKeyDto,
  ): Promise<Success<KeyDto>> {
    return this.idempotency.answer(idempotencyScope(request, caller), async () => {
      const { key, stored } = await this.keys.create(wanted, caller);
      return success(keyView(stored, key));
    });
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
  @ApiFailures('KEY_NOT_FOUND', 'IDEMPOTENCY_KEY_REUSED')
  @IdempotencyHeader
  revoke(
    @Req() request: StationRequest,
    @Caller() caller: Principal,
    @Param('id') id: string,
  ): Promise<Success<KeyDto>> {
    return this.idempotency.answer(idempotencyScope(request, caller), async () =>
      success(keyView(await this.adminKey.revoke(id, caller))),
    );
  }
}
