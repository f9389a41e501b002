import { ChoiceField, FlagField, IntegerField, ObjectField, TextField } from '../../common/fields.js';
import { Failure } from '../../contracts/failure.js';
import { GitCredentialsDto, gitCredentials } from '../../common/git-credentials.dto.js';
import type { StoredCredentials } from '../../contracts/operations.js';
import type { PackageManagerName, Visibility } from '../../contracts/shapes.js';
import type { CloneOptions } from '../../contracts/operation-options.js';

export const PACKAGE_MANAGERS: readonly PackageManagerName[] = ['npm', 'yarn', 'pnpm', 'bun'];
export const VISIBILITIES: readonly Visibility[] = ['private', 'shared'];

class CredentialsDto extends GitCredentialsDto implements Partial<StoredCredentials> {
  @TextField({ maxLength: 64, description: 'Names stored credentials of yours, in place of all other fields.' })
  credentialId?: string;
}

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

  @ChoiceField({ values: PACKAGE_MANAGERS, description: 'Kept as default for install.' })
  packageManager?: PackageManagerName;

  @FlagField({ description: '`true` fails where nothing confines the code; `false` is for administrators.' })
  isolated?: boolean;

  @TextField({
    maxLength: 200,
    description: 'A name of your own: letters, digits and . _ -, in any letter case. Default: owner-repo of the URL.',
    example: 'my-app',
  })
  repoId?: string;

  @ChoiceField({ values: VISIBILITIES, default: 'private', description: '`shared`: every key may read it.' })
  visibility?: Visibility;

  @ObjectField({
    type: () => CredentialsDto,
    description: 'Either `token` with `username` or not, or `privateKey` with `passphrase` or not, or `credentialId`.',
  })
  credentials?: CredentialsDto;
}

/** The options of the clone that a caller described. */
export function cloneOptions({ credentials, ...options }: CloneDto): CloneOptions {
  if (credentials?.credentialId === undefined)
    return { ...options, credentials: credentials && gitCredentials(credentials) };
  const { credentialId, ...others } = credentials;
  if (Object.values(others).every((value) => value === undefined)) return { ...options, credentials: { credentialId } };
  throw new Failure('BAD_REQUEST', 'credentials: expected nothing else beside credentialId');
}
