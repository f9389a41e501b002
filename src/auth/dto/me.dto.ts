import { ApiProperty } from '@nestjs/swagger';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
import { OwnerDto } from './plan.dto.js';

export class MeDto extends OwnerDto {
  @ApiProperty()
  admin!: boolean;

  @ApiProperty({ enum: PERMISSIONS, enumName: 'Permission', isArray: true })
  permissions!: readonly Permission[];

  @ApiProperty({ required: false, description: 'What the owner should know, such as a plan that lapses soon.' })
  notice?: string;
}
