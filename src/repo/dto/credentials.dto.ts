import { TextField } from '../../common/fields.js';
import { GitCredentialsDto, gitCredentials } from '../../common/git-credentials.dto.js';
import { Failure } from '../../contracts/failure.js';
import type { GitCredentials, StoredCredentials } from '../../contracts/operations.js';

/** Credentials of a repository: given with it, or stored before. */
export class CredentialsDto extends GitCredentialsDto implements Partial<StoredCredentials> {
  @TextField({ maxLength: 64, description: 'Names stored credentials of yours, in place of all other fields.' })
  credentialId?: string;
}

export const CREDENTIALS_FIELD = {
  type: () => CredentialsDto,
  description: 'Either `token` with `username` or not, or `privateKey` with `passphrase` or not, or `credentialId`.',
};

/** BAD_REQUEST where it is not just one of the three. */
export function credentialsOf({ credentialId, ...others }: CredentialsDto): GitCredentials | StoredCredentials {
  if (credentialId === undefined) return gitCredentials(others);
  if (Object.values(others).every((value) => value === undefined)) return { credentialId };
  throw new Failure('BAD_REQUEST', 'credentials: expected nothing else beside credentialId');
}
