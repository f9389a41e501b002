import { Controller, Get, Req, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { Public } from '../auth/access.decorator.js';
import { ApiKeysService } from '../auth/api-keys.service.js';
import { bearerOf } from '../auth/bearer.js';
import { RateLimit } from '../auth/rate-limit.service.js';
import { ApiFailures } from '../common/openapi/responses.js';
import type { StationRequest } from '../common/request-context.js';
import { ApiHealth } from './api-health.decorator.js';
import { DrainingHealth } from './draining.health.js';
import { HealthFilter } from './health.filter.js';
import { IsolationHealth } from './isolation.health.js';
import { ManagerHealth } from './manager.health.js';
import { StorageHealth } from './storage.health.js';
import { WorkersHealth } from './workers.health.js';

@ApiTags('health')
@Public()
@UseFilters(HealthFilter)
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly manager: ManagerHealth,
    private readonly workers: WorkersHealth,
    private readonly isolation: IsolationHealth,
    private readonly storage: StorageHealth,
    private readonly draining: DrainingHealth,
    private readonly keys: ApiKeysService,
    private readonly rateLimit: RateLimit,
  ) {}

  @Get()
  @ApiHealth()
  @ApiOperation({
    summary: 'Statistics of repositories, apps, queue, threads and storage',
    description: 'Needs no key; with an administrator’s it also says what each thread is doing.',
  })
  @ApiFailures('RATE_LIMITED')
  async overview(@Req() request: StationRequest): Promise<HealthCheckResult> {
    const detailed = await this.isAdministrator(request);
    return this.health.check([
      () => this.manager.check(),
      () => this.workers.check(detailed),
      () => this.isolation.check(),
      () => this.storage.check(),
    ]);
  }

  /** Not by way of Terminus, which says "shutting down" with 503: a server that drains is alive, and is not to be killed. */
  @Get('live')
  @ApiHealth()
  @ApiOperation({ summary: 'Whether the process is alive', description: 'Also while it drains; touches no disk.' })
  live(): HealthCheckResult {
    return { status: 'ok', info: {}, error: {}, details: {} };
  }

  @Get('ready')
  @ApiHealth()
  @ApiOperation({ summary: 'Whether operations are taken', description: '503 on draining and on unwritable folders.' })
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.draining.check(), () => this.storage.check()]);
  }

  /** Whoever shows a key is counted as anywhere else; any trouble with it means no, as health is told to everyone. */
  private async isAdministrator({ rawHeaders, address }: StationRequest): Promise<boolean> {
    const key = keyIn(rawHeaders);
    if (key === undefined) return false;
    const caller = await this.keys.authenticate(key).catch(() => undefined);
    if (!caller) await this.rateLimit.ofStranger(address);
    else await this.rateLimit.ofCaller(caller);
    return caller?.permissions.includes('admin') === true;
  }
}

/** A header that is none of the station's may be that of a proxy. */
function keyIn(rawHeaders: readonly string[]): string | undefined {
  try {
    return bearerOf(rawHeaders);
  } catch {
    return undefined;
  }
}
