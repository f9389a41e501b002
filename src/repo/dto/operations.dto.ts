import { ChoiceField, FlagField, IntegerField, MapField, ObjectField, TextField } from '../../common/fields.js';
import type { PackageManagerName, RestartPolicy } from '../../contracts/shapes.js';
import type { InstallOptions, RunOptions, StopOptions, UpdateOptions } from '../../contracts/operation-options.js';
import { PACKAGE_MANAGERS } from './clone.dto.js';

const RESTART_POLICIES: readonly RestartPolicy[] = ['no', 'on-failure', 'always'];
const DAY_MS = 86_400_000;
const PATH = { regex: /^\/[^\s\0]*$/, says: 'a path that begins with /' };

/** For operations that take no options: any field is refused by name. */
export class NoOptionsDto {}

export class InstallDto implements InstallOptions {
  @ChoiceField({
    values: PACKAGE_MANAGERS,
    enumName: 'PackageManagerName',
    description: 'Default: what the clone named, else `packageManager` of package.json, else the lockfile, else npm.',
  })
  packageManager?: PackageManagerName;

  @FlagField({ description: 'Leave dev dependencies out. Default: what the clone said, else false.' })
  production?: boolean;

  @FlagField({ description: 'Fail with ENGINE_MISMATCH where the wanted Node.js is not available.', default: false })
  strictEngines?: boolean;

  @FlagField({ description: 'Run no install scripts.', default: false })
  ignoreScripts?: boolean;
}

export class UpdateDto implements UpdateOptions {
  @TextField({ maxLength: 1024, description: 'The branch or tag to move to. Default: the tracked one.' })
  branch?: string;

  @FlagField({
    description:
      'Install if needed, and restart a running app with the options that it runs with. The new version has to become ' +
      'ready, where the old one was, and to live on for three seconds; else the old commit, its dependencies and its app ' +
      'are brought back, and the update fails with UPDATE_ROLLED_BACK. So it does when it is cancelled or takes too long.',
    default: false,
  })
  restart?: boolean;
}

class ReadyDto {
  @TextField({
    maxLength: 2048,
    pattern: PATH,
    description: 'Ready once this path answers with 2xx or 3xx.',
    example: '/health',
  })
  http?: string;

  @TextField({
    maxLength: 500,
    description: 'Ready once a line of output holds this text, or matches it where it is `/expression/flags`.',
    example: 'listening',
  })
  log?: string;
}

class LivenessDto {
  @TextField({ required: true, maxLength: 2048, pattern: PATH, description: 'A path that answers while it lives.' })
  http!: string;

  @IntegerField({ required: true, minimum: 1000, maximum: 3_600_000, description: 'Milliseconds between two looks.' })
  intervalMs!: number;
}

export class RunDto implements RunOptions {
  @TextField({
    maxLength: 200,
    description: 'A script of package.json. Default: the first that exists of start, dev, serve.',
    example: 'start',
  })
  script?: string;

  @IntegerField({
    minimum: 1024,
    maximum: 65_535,
    description: 'Given to the app as PORT. Default: a free one is allocated.',
    example: 3000,
  })
  port?: number;

  @MapField({
    values: 'string',
    description:
      'Environment variables of the app, text each, at most 128 kB and at most 1000. Names that change how it is started ' +
      '(PATH, LD_*, NODE_OPTIONS, npm_*, GIT_* and the like) are refused with ENV_NOT_ALLOWED. Values are never shown again.',
    example: { NODE_ENV: 'production' },
  })
  env?: Record<string, string>;

  @FlagField({ description: '`false` waits for the end and answers with exit code and output.', default: true })
  background?: boolean;

  @ChoiceField({
    values: RESTART_POLICIES,
    enumName: 'RestartPolicy',
    default: 'on-failure',
    description:
      'Whether an app that ends starts again, if it has been ready and has lived for ten seconds: after a second, then after ' +
      'twice as long each time, five times in a row (APP_RESTART_DELAY_MS, APP_MAX_RESTARTS); then its repository is in ' +
      '`error` with the reason CRASH_LOOP. Unless the policy is `no`, it also comes back when the server starts again.',
  })
  restartPolicy?: RestartPolicy;

  @IntegerField({
    minimum: 0,
    maximum: 600_000,
    default: 30_000,
    description: 'Milliseconds to wait until it listens. When they are over it runs on, with `ready: false`.',
  })
  readyTimeoutMs?: number;

  @IntegerField({
    minimum: 100,
    maximum: DAY_MS,
    description: 'With `background: false`: milliseconds it may take. Default: WORKER_TIMEOUT.',
  })
  timeoutMs?: number;

  @ObjectField({ type: () => ReadyDto, description: 'When it is ready. Default: when it listens.' })
  ready?: ReadyDto;

  @ObjectField({
    type: () => LivenessDto,
    description:
      'Ends the app when three looks in a row have found no 2xx or 3xx; its restart policy decides what follows.',
  })
  liveness?: LivenessDto;
}

export class StopDto implements StopOptions {
  @IntegerField({
    minimum: 0,
    maximum: 600_000,
    description: 'Milliseconds between SIGTERM and SIGKILL. Default: STOP_GRACE_MS.',
  })
  graceMs?: number;
}
