import { ApiProperty } from '@nestjs/swagger';
import { NOTICE_CODES, type OwnerNotice } from '../../contracts/events.js';

const Time = (description: string): PropertyDecorator =>
  ApiProperty({ type: 'integer', nullable: true, description: `Epoch milliseconds: ${description}` });

export class OwnerNoticeDto implements OwnerNotice {
  @ApiProperty({ type: 'integer', description: 'Epoch milliseconds: since when.' })
  time!: number;

  @ApiProperty({ description: 'Whom it is for.', example: 'patreon:12345678' })
  owner!: string;

  @ApiProperty({ description: 'The plan that it is about.', example: 'supporter' })
  plan!: string;

  @ApiProperty({ description: 'What has happened.', enum: NOTICE_CODES, enumName: 'NoticeCode' })
  code!: OwnerNotice['code'];

  @ApiProperty({ description: 'For people: what has happened, what follows, what to do.' })
  message!: string;

  @Time('when apps that run are stopped; null: none is.')
  appsStopAt!: number | null;

  @Time('when repositories are unloaded; null: none is.')
  unloadAt!: number | null;
}
