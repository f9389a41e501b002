import { Injectable } from '@nestjs/common';
import { OperationHistory } from '../registry/operation-history.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import type { MeDto } from './dto/me.dto.js';
import type { Principal } from './principal.js';

/** Tells callers who they are to the station. */
@Injectable()
export class MeService {
  constructor(
    private readonly registry: RepositoryRegistry,
    private readonly history: OperationHistory,
  ) {}

  async describe({ owner, admin, permissions }: Principal): Promise<MeDto> {
    const own = (await this.registry.list()).filter((entry) => entry.owner === owner);
    const unfinished = (await this.history.unfinished()).filter((operation) => operation.owner === owner);
    return {
      owner,
      admin,
      plan: null,
      permissions,
      limits: { repositories: null, runningApps: null, operations: null },
      use: {
        repositories: own.length,
        runningApps: own.filter((entry) => entry.state === 'running').length,
        operations: unfinished.length,
      },
    };
  }
}
