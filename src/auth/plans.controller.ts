import { Body, Controller, Delete, Get, Param, Put, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../common/envelope.js';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import type { StationRequest } from '../common/request-context.js';
import { Idempotency, idempotencyScope } from '../operations/idempotency.js';
import { Authenticated, Caller } from './access.decorator.js';
import { GrantPlanDto, OwnerDto, OwnerListDto, PlanListDto } from './dto/plan.dto.js';
import { ownerName } from './owner-name.js';
import { OwnersService } from './owners.service.js';
import { PlansService } from './plans/plans.service.js';
import type { Principal } from './principal.js';

@ApiTags('auth')
@Controller('auth')
export class PlansController {
  constructor(
    private readonly plans: PlansService,
    private readonly owners: OwnersService,
    private readonly idempotency: Idempotency,
  ) {}

  @Get('plans')
  @Authenticated({ permission: 'any' })
  @ApiOperation({ summary: 'The plans that there are', description: 'From the cheapest on, with what each allows.' })
  @ApiResult(PlanListDto)
  list(): Success<PlanListDto> {
    return success({ plans: [...this.plans.all()] });
  }

  @Get('owners')
  @Authenticated({ permission: 'admin' })
  @ApiOperation({ summary: 'List all owners', description: 'With the plan that bounds each, and what they use.' })
  @ApiResult(OwnerListDto)
  async listOwners(): Promise<Success<OwnerListDto>> {
    return success({ owners: await this.owners.list() });
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
  async grant(@Param('owner') owner: string, @Body() { plan }: GrantPlanDto): Promise<Success<OwnerDto>> {
    return success(await this.owners.grant(ownerName(owner), plan));
  }

  @Delete('owners/:owner/plan')
  @Authenticated({ permission: 'admin' })
  @ApiOperation({ summary: 'Take a granted plan away', description: 'Nothing bounds the owner any more.' })
  @ApiResult(OwnerDto)
  @ApiFailures('IDEMPOTENCY_KEY_REUSED')
  @IdempotencyHeader
  withdraw(
    @Req() request: StationRequest,
    @Caller() caller: Principal,
    @Param('owner') owner: string,
  ): Promise<Success<OwnerDto>> {
    return this.idempotency.answer(idempotencyScope(request, caller), async () =>
      success(await this.owners.grant(ownerName(owner), null)),
    );
  }
}
