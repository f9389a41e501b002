import { ChoiceField, FlagField, IntegerField, ObjectField, TextField } from '../../common/fields.js';
import { Failure } from '../../contracts/failure.js';
import type { GitCredentials } from '../../contracts/operations.js';
import type { PackageManagerName, Visibility } from '../../contracts/shapes.js';
import type { CloneOptions } from '../../contracts/operation-options.js';

export const PACKAGE_MANAGERS: readonly PackageManagerName[] = ['npm', 'yarn', 'pnpm', 'bun'];
export const VISIBILITIES: readonly Visibility[] = ['private', 'shared'];

export class CredentialsDto {
  @TextField({
    maxLength: 256,
    description: 'For https, beside `token`. Default: one that the Git host takes any token with.',
  })
  username?: string;

  @TextField({ maxLength: 8192, secret: true, description: 'For https: an access token or password. Never shown.' })
  token?: string;

  @TextField({ maxLength: 32_768, secret: true, description: 'For ssh: a private key in PEM. Never shown.' })
  privateKey?: string;

  @TextField({ maxLength: 1024, secret: true, description: 'Of the private key. Never shown.' })
  passphrase?: string;
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
    description: 'Either `token` with `username` or not, or `privateKey` with `passphrase` or not.',
  })
  credentials?: CredentialsDto;
}

/** The options of the clone that a caller described. */
export function cloneOptions({ credentials, ...options }: CloneDto): CloneOptions {
  return { ...options, credentials: credentials && gitCredentials(credentials) };
}

function gitCredentials({ username, token, privateKey, passphrase }: CredentialsDto): GitCredentials {
  if (token !== undefined && privateKey === undefined && passphrase === undefined) return { username, token };
  if (privateKey !== undefined && token === undefined && username === undefined) return { privateKey, passphrase };
  throw new Failure(
    'BAD_REQUEST',
    'credentials: expected either {username?, token} or {privateKey, passphrase?}, and not both',
  );
}
