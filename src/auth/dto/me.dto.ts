import { ApiProperty } from '@nestjs/swagger';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';

class QuotaDto<T extends number | null> {
  @ApiProperty({ type: 'integer', nullable: true, description: 'Docked repositories; as a limit, null is no limit.' })
  repositories!: T;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Apps that run at the same time.' })
  runningApps!: T;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Operations queued or running at the same time.' })
  operations!: T;
}

export class MeDto {
  @ApiProperty({ example: 'alice' })
  owner!: string;

  @ApiProperty()
  admin!: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'The plan that sets the limits; null: none does.' })
  plan!: string | null;

  @ApiProperty({ enum: PERMISSIONS, enumName: 'Permission', isArray: true })
  permissions!: readonly Permission[];

  @ApiProperty({ type: QuotaDto })
  limits!: QuotaDto<number | null>;

  @ApiProperty({ type: QuotaDto, description: 'Of the owner, over all of their keys.' })
  use!: QuotaDto<number>;

  @ApiProperty({ required: false, description: 'What the owner should know, such as a plan that lapses soon.' })
  notice?: string;
}
