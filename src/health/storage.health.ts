import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthCheckAttempt } from '@nestjs/terminus';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';

/** A busy disk is no reason to send nobody here any more; one that hangs is. */
const TIMEOUT_MS = 5_000;
/** Probes come often, and a write each would be a load of its own. */
const CACHE_MS = 1000;

/** Whether data and workspaces can be written: by writing, since a full disk and a read-only one still grant access. */
@Injectable()
export class StorageHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
  ) {}

  check(): HealthCheckAttempt<'storage'> {
    return this.indicators
      .check('storage')
      .attempt(async () => {
        await probe('DATA_DIR', this.config.dataDir);
        await probe('WORKSPACE_DIR', this.config.workspaceDir);
      })
      .withTimeout(TIMEOUT_MS)
      .cacheFor(CACHE_MS);
  }
}

/** The message names the variable and the error code: paths are nobody's business here. */
async function probe(variable: string, folder: string): Promise<void> {
  const file = join(folder, '.write-probe');
  try {
    await writeFile(file, 'x');
    await rm(file, { force: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${variable} cannot be written: ${code ?? 'unknown error'}`, { cause });
  }
}
