import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { success, type Success } from '../../common/envelope.js';
import { ApiResult } from '../../common/openapi/responses.js';
import { AuditStore } from '../../registry/audit-store.js';
import { Authenticated } from '../access.decorator.js';
import { AuditPageDto, AuditQueryDto } from '../dto/audit.dto.js';

const PAGE = 50;

@ApiTags('auth')
@Controller('audit')
export class AuditController {
  constructor(private readonly store: AuditStore) {}

  @Get()
  @Authenticated({ permission: 'admin' })
  @ApiOperation({
    summary: 'Who did what',
    description: 'Every change that was asked for, and every refusal, of the last 90 days; reads are not kept.',
  })
  @ApiResult(AuditPageDto)
  async list(@Query() { limit = PAGE, ...wanted }: AuditQueryDto): Promise<Success<AuditPageDto>> {
    return success(await this.store.list({ ...wanted, limit }));
  }
}
