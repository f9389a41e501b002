import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../../common/envelope.js';
import { ApiResult } from '../../common/openapi/responses.js';
import { Authenticated } from '../access.decorator.js';
import { PlanListDto } from '../dto/plan.dto.js';
import { PlansService } from './plans.service.js';

@ApiTags('auth')
@Controller('auth/plans')
export class PlansController {
  constructor(private readonly plans: PlansService) {}

  @Get()
  @Authenticated({ permission: 'any' })
  @ApiOperation({ summary: 'The plans that there are', description: 'From the cheapest on, with what each allows.' })
  @ApiResult(PlanListDto)
  list(): Success<PlanListDto> {
    return success({ plans: [...this.plans.all()] });
  }
}
