import { Failure } from '../contracts/failure.js';
import type { GitCredentials } from '../contracts/operations.js';
import { TextField } from './fields.js';

/** Credentials for a Git host, over https or ssh. */
export class GitCredentialsDto {
  @TextField({
    maxLength: 256,
    description: 'For https, beside `token`. Default: a user name that Git hosts accept with any token.',
  })
  username?: string;

  @TextField({ maxLength: 8192, secret: true, description: 'For https: an access token or password. Never shown.' })
  token?: string;

  @TextField({ maxLength: 32_768, secret: true, description: 'For ssh: a private key in PEM. Never shown.' })
  privateKey?: string;

  @TextField({ maxLength: 1024, secret: true, description: 'Of the private key. Never shown.' })
  passphrase?: string;
}

/** BAD_REQUEST where it is neither or both. */
export function gitCredentials({ username, token, privateKey, passphrase }: GitCredentialsDto): GitCredentials {
  if (token !== undefined && privateKey === undefined && passphrase === undefined) return { username, token };
  if (privateKey !== undefined && token === undefined && username === undefined) return { privateKey, passphrase };
  throw new Failure(
    'BAD_REQUEST',
    'credentials: expected either {username?, token} or {privateKey, passphrase?}, and not both, or for a repository {credentialId}',
  );
}
