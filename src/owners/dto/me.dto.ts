import { ApiProperty } from '@nestjs/swagger';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
import { OwnerNoticeDto } from '../../auth/dto/owner-notice.dto.js';
import { OwnerDto } from './owner.dto.js';

export class MeDto extends OwnerDto {
  @ApiProperty({ description: 'Whether the key is an administrator’s.' })
  admin!: boolean;

  @ApiProperty({
    description: 'What the key may be used for now.',
    enum: PERMISSIONS,
    enumName: 'Permission',
    isArray: true,
  })
  permissions!: readonly Permission[];

  @ApiProperty({ type: OwnerNoticeDto, required: false, description: 'What the owner should know of their plan.' })
  notice?: OwnerNoticeDto;
}
