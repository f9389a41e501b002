import { ChoiceField, FlagField, IntegerField, ObjectField, TextField } from '../../common/fields.js';
import type { PackageManagerName, Visibility } from '../../contracts/shapes.js';
import type { CloneOptions } from '../../contracts/operation-options.js';
import { CREDENTIALS_FIELD, credentialsOf, type CredentialsDto } from './credentials.dto.js';

export const PACKAGE_MANAGERS: readonly PackageManagerName[] = ['npm', 'yarn', 'pnpm', 'bun'];
export const VISIBILITIES: readonly Visibility[] = ['private', 'shared'];

export class CloneDto {
  @TextField({
    required: true,
    maxLength: 4096,
    description: '`https://…`, `ssh://…` or `git@host:owner/repo.git`.',
    example: 'https://github.com/octocat/Hello-World.git',
  })
  repoUrl!: string;

  @TextField({ maxLength: 1024, description: 'A branch or a tag. Default: the default branch.', example: 'main' })
  branch?: string;

  @IntegerField({ minimum: 0, maximum: 1_000_000, default: 1, description: 'Commits of history; 0 is all of it.' })
  depth?: number;

  @FlagField({ description: 'Kept as default for install: leave dev dependencies out.', default: false })
  production?: boolean;

  @ChoiceField({
    values: PACKAGE_MANAGERS,
    enumName: 'PackageManagerName',
    description: 'Kept as default for install.',
  })
  packageManager?: PackageManagerName;

  @FlagField({ description: '`true` fails where nothing confines the code; `false` is for administrators.' })
  isolated?: boolean;

  @TextField({
    maxLength: 200,
    description: 'A name of your own: letters, digits and . _ -, in any letter case. Default: owner-repo of the URL.',
    example: 'my-app',
  })
  repoId?: string;

  @ChoiceField({
    values: VISIBILITIES,
    enumName: 'Visibility',
    default: 'private',
    description: '`shared`: every key may read it.',
  })
  visibility?: Visibility;

  @ObjectField(CREDENTIALS_FIELD)
  credentials?: CredentialsDto;
}

/** The options of the clone that a caller described. */
export const cloneOptions = ({ credentials, ...options }: CloneDto): CloneOptions => ({
  ...options,
  credentials: credentials && credentialsOf(credentials),
});
