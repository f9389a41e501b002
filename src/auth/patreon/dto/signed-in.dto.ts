import { ApiProperty } from '@nestjs/swagger';
import { OwnerNoticeDto } from '../../dto/owner-notice.dto.js';

export class SignedInDto {
  @ApiProperty({ description: 'The API key, shown this once. The one of the last sign-in is not good any more.' })
  key!: string;

  @ApiProperty({ description: 'Whom the key speaks for.', example: 'patreon:12345678' })
  owner!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The plan that bounds the owner; null: none does.' })
  plan!: string | null;

  @ApiProperty({ type: OwnerNoticeDto, required: false, description: 'What the owner should know of their plan.' })
  notice?: OwnerNoticeDto;
}
