import { ApiProperty } from '@nestjs/swagger';
import { AppDto, PackageManagerChoiceDto, RepositoryDto, VersionChoiceDto } from './repository.dto.js';

const MILLISECONDS = { type: 'integer', description: 'Milliseconds.' } as const;
const WARNINGS = {
  type: String,
  isArray: true,
  description: 'What is worth knowing and did not make it fail.',
} as const;

export class RepositoryListDto {
  @ApiProperty({ description: 'Your own, and those that others share.', type: [RepositoryDto] })
  repositories!: RepositoryDto[];

  @ApiProperty({ description: 'How many there are.', type: 'integer' })
  count!: number;
}

export class CloneResultDto extends RepositoryDto {
  @ApiProperty(MILLISECONDS)
  durationMs!: number;

  @ApiProperty(WARNINGS)
  warnings!: string[];
}

export class InstallResultDto {
  @ApiProperty({ type: PackageManagerChoiceDto })
  packageManager!: PackageManagerChoiceDto;

  @ApiProperty({ type: VersionChoiceDto })
  node!: VersionChoiceDto;

  @ApiProperty({ description: 'Whether the lockfile was installed exactly as it is.' })
  frozen!: boolean;

  @ApiProperty({
    type: [String],
    description: '`name@version` of packages whose install scripts the package manager did not run.',
  })
  scriptsNotRun!: string[];

  @ApiProperty(MILLISECONDS)
  durationMs!: number;

  @ApiProperty(WARNINGS)
  warnings!: string[];
}

class GitStatusDto {
  @ApiProperty({ description: 'null where a tag or a commit is checked out.', type: String, nullable: true })
  branch!: string | null;

  @ApiProperty({ description: 'Full hash of the commit that is checked out.', type: String, nullable: true })
  commit!: string | null;

  @ApiProperty({
    description: 'Branch that updates follow; null where there is none.',
    type: String,
    nullable: true,
    example: 'origin/main',
  })
  upstream!: string | null;

  @ApiProperty({ type: 'integer', description: 'Commits that upstream, as last fetched, does not have.' })
  ahead!: number;

  @ApiProperty({ type: 'integer', description: 'Commits of upstream, as last fetched, that are missing here.' })
  behind!: number;

  @ApiProperty({ description: 'Whether no file differs from the commit, and none was added.' })
  clean!: boolean;

  @ApiProperty({ type: [String], description: 'Tracked files that differ from the commit.' })
  changed!: string[];

  @ApiProperty({ description: 'Files that the repository does not know.', type: 'integer' })
  untracked!: number;
}

class DependencyCountDto {
  @ApiProperty({ description: 'In package.json.', type: 'integer' })
  declared!: number;

  @ApiProperty({ description: 'Of these, found in node_modules.', type: 'integer' })
  installed!: number;
}

class PackageDto {
  @ApiProperty({ description: 'Of package.json; null where it has none.', type: String, nullable: true })
  name!: string | null;

  @ApiProperty({ description: 'Of package.json; null where it has none.', type: String, nullable: true })
  version!: string | null;

  @ApiProperty({
    description: 'Name and command of each script.',
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { start: 'node server.js' },
  })
  scripts!: Record<string, string>;

  @ApiProperty({ type: DependencyCountDto })
  dependencies!: DependencyCountDto;
}

class ProcessDto extends AppDto {
  @ApiProperty({ type: Number, description: 'Percent of one core, of the whole tree.' })
  cpuPercent!: number;

  @ApiProperty({ type: 'integer', description: 'Resident bytes of the whole tree.' })
  memoryBytes!: number;

  @ApiProperty({ description: 'Of the whole tree.', type: 'integer' })
  processes!: number;
}

export class StatusResultDto extends RepositoryDto {
  @ApiProperty({ type: GitStatusDto, nullable: true, description: 'null while the first clone runs.' })
  git!: GitStatusDto | null;

  @ApiProperty({ type: PackageDto, nullable: true, description: 'null where there is no readable package.json.' })
  package!: PackageDto | null;

  @ApiProperty({ description: 'Bytes of workspace, home and caches.', type: 'integer' })
  diskBytes!: number;

  @ApiProperty({ type: ProcessDto, nullable: true, description: 'The running app, or null.' })
  process!: ProcessDto | null;

  @ApiProperty(WARNINGS)
  warnings!: string[];
}

class CommitDto {
  @ApiProperty({ description: 'Full hash.' })
  commit!: string;

  @ApiProperty({ description: 'First line of its message.' })
  subject!: string;

  @ApiProperty({ description: 'Name as the commit has it.' })
  author!: string;

  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds.' })
  time!: number;
}

class LogExcerptDto {
  @ApiProperty({
    enum: ['app', 'update'],
    enumName: 'LogExcerptSource',
    description: '`update`: it failed before its app was started.',
  })
  source!: 'app' | 'update';

  @ApiProperty({ description: 'Names the log: `GET /repo/:repoId/logs?source=…&operationId=…`.' })
  operationId!: string;

  @ApiProperty({ type: [String], description: 'At most 20.' })
  lastLines!: string[];
}

class UpdateLogsDto {
  @ApiProperty({ type: LogExcerptDto, required: false })
  old?: LogExcerptDto;

  @ApiProperty({ type: LogExcerptDto, required: false })
  new?: LogExcerptDto;
}

export class UpdateResultDto {
  @ApiProperty({ description: 'The commit before.' })
  from!: string;

  @ApiProperty({ description: 'The commit now.' })
  to!: string;

  @ApiProperty({ type: [String], description: 'At most 1000 paths.' })
  changedFiles!: string[];

  @ApiProperty({ type: 'integer', description: 'How many there really are.' })
  changedFileCount!: number;

  @ApiProperty({ type: [CommitDto], description: 'Newest first, at most 100.' })
  commits!: CommitDto[];

  @ApiProperty({ description: 'Whether an install is due.' })
  dependenciesChanged!: boolean;

  @ApiProperty({ description: 'Whether a running app is now behind its files.' })
  restartRequired!: boolean;

  @ApiProperty({ required: false, description: 'The ref that keeps local changes which upstream overwrote.' })
  savedRef?: string;

  @ApiProperty({ required: false, description: 'With `restart`: whether the app runs the new version now.' })
  restarted?: boolean;

  @ApiProperty({
    required: false,
    description:
      'With `restart`: false; a version that has not proven itself is a failure, whose context says true here.',
  })
  rolledBack?: boolean;

  @ApiProperty({
    type: UpdateLogsDto,
    required: false,
    description: 'With `restart`: of the app before and after it, each with its last lines.',
  })
  logs?: UpdateLogsDto;

  @ApiProperty(WARNINGS)
  warnings!: string[];
}

export class RunResultDto extends AppDto {
  @ApiProperty({
    enum: ['listening', 'exited', 'timeout'],
    enumName: 'Readiness',
    description: 'What the start was waited for until.',
  })
  readiness!: 'listening' | 'exited' | 'timeout';

  @ApiProperty({
    type: [String],
    description: 'What may not be as expected: it does not listen yet, has another port, has failed in the foreground.',
  })
  warnings!: string[];

  @ApiProperty({ required: false, description: 'With `background: false`: the last 64 kB of output.' })
  output?: string;

  @ApiProperty({ required: false, description: 'Whether there was more output.' })
  truncated?: boolean;
}

export class StopResultDto {
  @ApiProperty({ description: 'Nothing of the app runs any more.', enum: [true] })
  stopped!: true;

  @ApiProperty({ description: 'Whether nothing was running.' })
  alreadyStopped!: boolean;

  @ApiProperty({
    description: 'How it ended; null where a signal ended it, or none ran.',
    type: 'integer',
    nullable: true,
  })
  exitCode!: number | null;

  @ApiProperty({ description: 'Which signal ended it; null where none did.', type: String, nullable: true })
  signal!: string | null;

  @ApiProperty({ description: 'Whether SIGKILL was needed.' })
  forced!: boolean;

  @ApiProperty(MILLISECONDS)
  durationMs!: number;
}

export class UnloadResultDto {
  @ApiProperty({ description: 'Nothing of the repository is left.', enum: [true] })
  unloaded!: true;

  @ApiProperty({ description: 'Whether an app had to be stopped.' })
  appStopped!: boolean;

  @ApiProperty({ description: 'Bytes that it took on disk.', type: 'integer' })
  freedBytes!: number;
}
