import { ApiProperty } from '@nestjs/swagger';
import { TextField } from '../../common/fields.js';
import { GitCredentialsDto } from '../../common/git-credentials.dto.js';
import type { StoredCredential } from '../../registry/credential-store.js';

export class StoreCredentialDto extends GitCredentialsDto {
  @TextField({ required: true, maxLength: 100, description: 'For people to tell them apart.', example: 'GitHub' })
  name!: string;
}

export class CredentialDto {
  @ApiProperty({ example: 'cred_5c1f0e6b7a8d9243', description: 'For `credentials` of a clone.' })
  credentialId!: string;

  @ApiProperty({ description: 'For people to tell them apart.', example: 'GitHub' })
  name!: string;

  @ApiProperty({
    enum: ['https', 'ssh', 'lost'],
    enumName: 'CredentialKind',
    description: 'A token, a private key, or what can no longer be decrypted, as SECRETS_KEY has changed.',
  })
  kind!: 'https' | 'ssh' | 'lost';

  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds.' })
  createdAt!: number;
}

export class CredentialListDto {
  @ApiProperty({ description: 'The oldest first.', type: [CredentialDto] })
  credentials!: CredentialDto[];
}

/** What may be shown of them. */
export function credentialView({ credentialId, name, createdAt, secret }: StoredCredential): CredentialDto {
  const kind = secret === null ? 'lost' : 'token' in secret ? 'https' : 'ssh';
  return { credentialId, name, kind, createdAt };
}
