import { ApiProperty } from '@nestjs/swagger';
import { ChoicesField, FlagField, IntegerField, TextField } from '../../common/fields.js';
import type { StoredKey } from '../../registry/key-store.js';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
import { OWNER_NAME } from '../owner-name.js';

export class CreateKeyDto {
  @TextField({ required: true, maxLength: 100, description: 'For people to tell keys apart.', example: 'laptop' })
  name!: string;

  @TextField({
    maxLength: 64,
    pattern: OWNER_NAME,
    description: 'Whose key it is. Default: the owner of the key that makes it.',
    example: 'alice',
  })
  owner?: string;

  @FlagField({ description: 'Whether it is an administrator’s: sees every repository.', default: false })
  admin?: boolean;

  @ChoicesField({
    values: PERMISSIONS,
    enumName: 'Permission',
    description:
      'What it may do. Default: everything but `keys` and `admin`, as far as the key that makes it may do it itself; ' +
      'with `admin: true` everything.',
    example: ['read', 'run', 'stop'],
  })
  scopes?: Permission[];

  @IntegerField({
    minimum: 0,
    maximum: 8.64e15,
    description: 'Epoch milliseconds, in the future. Default: it never expires.',
    example: 1_893_456_000_000,
  })
  expiresAt?: number;
}

export class KeyDto {
  @ApiProperty({ description: 'Names the key, and is no secret.' })
  id!: string;

  @ApiProperty({ required: false, description: 'The key itself: in the answer that makes it, and never again.' })
  key?: string;

  @ApiProperty({ description: 'The first characters of the key.', example: 'dock_Q2x8a' })
  prefix!: string;

  @ApiProperty({ description: 'For people to tell keys apart.', example: 'laptop' })
  name!: string;

  @ApiProperty({ description: 'Whom it speaks for.', example: 'alice' })
  owner!: string;

  @ApiProperty({ description: 'Whether it is an administrator’s.' })
  admin!: boolean;

  @ApiProperty({
    description: 'What it may be used for, within the owner’s plan.',
    enum: PERMISSIONS,
    enumName: 'Permission',
    isArray: true,
  })
  scopes!: Permission[];

  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds.' })
  createdAt!: number;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Epoch milliseconds; null: never.' })
  expiresAt!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Epoch milliseconds, to the minute; null: never.' })
  lastUsedAt!: number | null;
}

export class KeyListDto {
  @ApiProperty({ description: 'The oldest first.', type: [KeyDto] })
  keys!: KeyDto[];
}

/** A key as it may be shown: neither digest nor, but once, the key. */
export function keyView({ digest: _, ...shown }: StoredKey, key?: string): KeyDto {
  return { ...shown, ...(key !== undefined && { key }) };
}
