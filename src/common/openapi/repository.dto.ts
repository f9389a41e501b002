import { FAILURE_CODE_NAMES, type FailureCode } from '../../contracts/failure-codes.js';
import { STOP_REASONS, type StopReason } from '../../contracts/stop-reasons.js';
import { ApiProperty } from '@nestjs/swagger';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operation-names.js';
import { REPOSITORY_STATES, type RepositoryState } from '../../contracts/repository-states.js';
import type * as shapes from '../../contracts/shapes.js';

const TIME = { type: 'integer', description: 'Epoch milliseconds.', example: 1_767_225_600_000 } as const;

export class VersionChoiceDto implements shapes.VersionChoice {
  @ApiProperty({
    description: 'What the repository asked for, as it was written; null: nothing.',
    type: String,
    nullable: true,
    example: '>=20',
  })
  wanted!: string | null;

  @ApiProperty({ description: 'What was used.', example: '22.12.0' })
  used!: string;

  @ApiProperty({ description: 'Why this one.', example: 'engines.node of package.json' })
  why!: string;
}

export class PackageManagerChoiceDto extends VersionChoiceDto implements shapes.PackageManagerChoice {
  @ApiProperty({ description: 'Exact version that was used.', example: '10.9.2' })
  version!: string;
}

export class IsolationDto implements shapes.IsolationReport {
  @ApiProperty({
    enum: ['bubblewrap', 'none'],
    enumName: 'IsolationDriver',
    description: 'What really confines the code of the repository.',
  })
  driver!: 'bubblewrap' | 'none';

  @ApiProperty({ required: false, description: 'Why nothing stronger is in force; left out where it is.' })
  reason?: string;
}

export class NetworkDto implements shapes.NetworkReport {
  @ApiProperty({
    description: '`private`: of its own. `shared`: the host’s.',
    enum: ['private', 'shared'],
    enumName: 'NetworkMode',
  })
  mode!: 'private' | 'shared';

  @ApiProperty({ description: 'Why it is not private; left out where it is.', required: false })
  reason?: string;
}

export class LimitsDto implements shapes.LimitsReport {
  @ApiProperty({ type: 'integer', nullable: true, description: 'MiB; null is no limit.' })
  memoryMb!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'null is no limit.' })
  processes!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'MiB; null is no limit.' })
  diskMb!: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'Share of the processor among repositories that all want it, 100 being an equal one; null: none is held.',
    example: 100,
  })
  cpuWeight!: number | null;

  @ApiProperty({ required: false, description: 'Why there is no share.' })
  cpuReason?: string;

  @ApiProperty({
    enum: ['cgroup', 'watchdog', 'none'],
    enumName: 'LimitsEnforcement',
    description: 'What holds memory, processes and disk.',
  })
  enforcedBy!: 'cgroup' | 'watchdog' | 'none';
}

export class ReasonDto implements shapes.StateReason {
  @ApiProperty({ enum: FAILURE_CODE_NAMES, enumName: 'FailureCode', description: 'Stable: branch on this.' })
  code!: FailureCode;

  @ApiProperty({ description: 'For people.' })
  message!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    selfRequired: false,
    description: 'Of an app that has ended: `exitCode`, `signal`, `restarts` and `lastLines` of its output.',
  })
  context?: Record<string, unknown>;
}

class PortPairDto {
  @ApiProperty({ type: 'integer', description: 'Where the app itself listens.' })
  appPort!: number;

  @ApiProperty({ type: 'integer', description: 'Where it is reached on the host.' })
  port!: number;
}

export class AppDto implements shapes.App {
  @ApiProperty({ type: 'integer', nullable: true, description: 'As the host sees it; null once the app has ended.' })
  pid!: number | null;

  @ApiProperty({ description: 'Of package.json.', example: 'start' })
  script!: string;

  @ApiProperty({ description: 'What the script runs.', example: 'node server.js' })
  command!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'On the host: the one in `url`.', example: 20000 })
  port!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Where the app itself listens.' })
  appPort!: number | null;

  @ApiProperty({ type: [PortPairDto], required: false, description: 'Where there are several.' })
  ports?: PortPairDto[];

  @ApiProperty({
    type: 'integer',
    required: false,
    description:
      'The `port` that was asked for, where it was taken on the host: in a private network the app has it all the same, and ' +
      'is reached at another one, which is in `url`. Left out where the app has what was asked for.',
    example: 3000,
  })
  requestedPort?: number;

  @ApiProperty({
    description: 'Where it answers; null while it listens on no port.',
    type: String,
    nullable: true,
    example: 'http://127.0.0.1:20000',
  })
  url!: string | null;

  @ApiProperty({ description: 'Whether it listens.' })
  ready!: boolean;

  @ApiProperty(TIME)
  startedAt!: number;

  @ApiProperty({
    type: 'integer',
    description: 'In a row: how often it was started again by its policy, or with the server.',
  })
  restarts!: number;

  @ApiProperty({
    description: 'How it ended; null while it runs, and where a signal ended it.',
    type: 'integer',
    nullable: true,
    required: false,
  })
  exitCode?: number | null;

  @ApiProperty({
    description: 'Which signal ended it; null where none did.',
    type: String,
    nullable: true,
    required: false,
    example: 'SIGTERM',
  })
  signal?: string | null;

  @ApiProperty({ ...TIME, required: false })
  stoppedAt?: number;

  @ApiProperty({
    enum: STOP_REASONS,
    enumName: 'StopReason',
    description: 'Why it does not run any more.',
    required: false,
  })
  stopReason?: StopReason;

  @ApiProperty({
    description:
      'What went wrong, for people: the last words of the app, or why it was ended. Left out where it said none.',
    required: false,
    example: 'Error: no database',
  })
  stopMessage?: string;
}

class ActiveOperationDto implements shapes.ActiveOperation {
  @ApiProperty({ description: 'GET /operations/:id tells more of it.' })
  operationId!: string;

  @ApiProperty({ description: 'What is being done.', enum: OPERATION_NAMES, enumName: 'OperationName' })
  operation!: OperationName;

  @ApiProperty({
    description: 'What it is at, as `resolving` or `installing`; null where it does not say.',
    type: String,
    nullable: true,
    example: 'receiving objects',
  })
  phase!: string | null;

  @ApiProperty({
    description: '0 to 100; null where it cannot be told.',
    type: Number,
    nullable: true,
    minimum: 0,
    maximum: 100,
  })
  percent!: number | null;

  @ApiProperty({ type: 'integer', required: false, description: 'While it waits; 1 is next.' })
  queuePosition?: number;
}

export class RepositoryDto implements shapes.Repository {
  @ApiProperty({ description: 'Unique per owner.', example: 'octocat-hello-world' })
  repoId!: string;

  @ApiProperty({ description: 'Unique on the station; taken wherever a repoId is.', example: 'r_3f9c2ab81d4e' })
  uid!: string;

  @ApiProperty({ description: 'Without credentials.', example: 'https://github.com/octocat/Hello-World' })
  repoUrl!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The branch or tag that updates follow.', example: 'main' })
  branch!: string | null;

  @ApiProperty({
    description: 'Full hash of the commit that is checked out; null while it is cloned for the first time.',
    type: String,
    nullable: true,
    example: '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d',
  })
  commit!: string | null;

  @ApiProperty({ enum: REPOSITORY_STATES, enumName: 'RepositoryState', description: 'What it is fit for now.' })
  state!: RepositoryState;

  @ApiProperty({ type: ReasonDto, required: false, description: 'Why it is in `error`, or why its app has ended.' })
  stateReason?: ReasonDto;

  @ApiProperty({ type: ActiveOperationDto, required: false, description: 'Work in progress, or next in turn.' })
  activeOperation?: ActiveOperationDto;

  @ApiProperty({ description: 'Whose repository it is.', example: 'admin' })
  owner!: string;

  @ApiProperty({
    enum: ['private', 'shared'],
    enumName: 'Visibility',
    description: '`shared`: every key may read it; `private`: its owner.',
  })
  visibility!: shapes.Visibility;

  @ApiProperty({ type: PackageManagerChoiceDto, nullable: true, description: 'null until an install has succeeded.' })
  packageManager!: PackageManagerChoiceDto | null;

  @ApiProperty({ type: VersionChoiceDto, nullable: true, description: 'null until an install has succeeded.' })
  node!: VersionChoiceDto | null;

  @ApiProperty({ type: IsolationDto })
  isolation!: IsolationDto;

  @ApiProperty({ type: NetworkDto })
  network!: NetworkDto;

  @ApiProperty({ type: LimitsDto })
  limits!: LimitsDto;

  @ApiProperty({ type: AppDto, required: false, description: 'The running app, or the last that ran.' })
  app?: AppDto;

  @ApiProperty(TIME)
  createdAt!: number;

  @ApiProperty(TIME)
  updatedAt!: number;
}
