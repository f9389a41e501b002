import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Audited, Authenticated, Caller } from '../auth/access.decorator.js';
import { ownerName } from '../auth/owner-name.js';
import type { Principal } from '../auth/principal.js';
import { success, type Success } from '../common/envelope.js';
import type { AuditNote } from '../common/request-context.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import { Idempotent } from '../idempotency/idempotent.decorator.js';
import { MeDto } from './dto/me.dto.js';
import { GrantPlanDto, OwnerDto, OwnerPageDto, OwnerQueryDto } from './dto/owner.dto.js';
import { OwnersService } from './owners.service.js';

const PAGE = 50;

@ApiTags('auth')
@Controller('auth')
export class OwnersController {
  constructor(private readonly owners: OwnersService) {}

  @Get('me')
  @Authenticated({ permission: 'any' })
  @ApiOperation({ summary: 'Who the key speaks for, and what it may do' })
  @ApiResult(MeDto)
  async me(@Caller() caller: Principal): Promise<Success<MeDto>> {
    return success(await this.owners.describe(caller));
  }

  @Get('owners')
  @Authenticated({ permission: 'admin' })
  @ApiOperation({ summary: 'List all owners', description: 'With the plan that bounds each, and what they use.' })
  @ApiResult(OwnerPageDto)
  async list(@Query() { limit = PAGE, ...wanted }: OwnerQueryDto): Promise<Success<OwnerPageDto>> {
    return success(await this.owners.page({ ...wanted, limit }));
  }

  @Put('owners/:owner/plan')
  @Authenticated({ permission: 'admin' })
  @ApiOperation({
    summary: 'Grant an owner a plan',
    description:
      'It bounds all of their keys from now on, but no administrator’s. Nothing of theirs is stopped or removed.',
  })
  @ApiResult(OwnerDto)
  @ApiFailures('UNKNOWN_PLAN')
  async grantPlan(
    @Param('owner') owner: string,
    @Body() { plan }: GrantPlanDto,
    @Audited() note: (note: AuditNote) => void,
  ): Promise<Success<OwnerDto>> {
    note({ detail: plan });
    return success(await this.owners.grant(ownerName(owner), plan));
  }

  @Delete('owners/:owner/plan')
  @Authenticated({ permission: 'admin' })
  @ApiOperation({
    summary: 'Take a granted plan away',
    description: 'What bounds the owner then is the plan of their tier at Patreon, or nothing.',
  })
  @ApiResult(OwnerDto)
  @Idempotent()
  async withdrawPlan(@Param('owner') owner: string): Promise<Success<OwnerDto>> {
    return success(await this.owners.grant(ownerName(owner), null));
  }
}
