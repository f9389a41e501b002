import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiFailures } from '../../common/openapi/responses.js';
import type { StationRequest } from '../../common/request-context.js';
import { Failure } from '../../contracts/failure.js';
import { Public } from '../access.decorator.js';
import { WebhookService } from './webhook.service.js';

const MAX_BYTES = 1_000_000;

@ApiTags('auth')
@Controller('auth/patreon/webhook')
@Public()
export class WebhookController {
  constructor(private readonly webhooks: WebhookService) {}

  @Post()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Where Patreon tells of changes',
    description:
      'What has changed is then asked from Patreon. Where that is not possible, an event takes away and never gives.',
  })
  @ApiHeader({ name: 'X-Patreon-Signature', required: true, description: 'HMAC-MD5 of the body with the secret, hex.' })
  @ApiHeader({ name: 'X-Patreon-Event', required: false, description: 'Such as `members:update`.' })
  @ApiBody({ schema: { type: 'object', additionalProperties: true }, description: 'A member, as JSON:API.' })
  @ApiResponse({ status: 204, description: 'Taken, also where it is about nobody who is known here.' })
  @ApiFailures('BAD_SIGNATURE', 'PATREON_NOT_CONFIGURED')
  async receive(@Req() request: StationRequest): Promise<void> {
    this.webhooks.requireSecret();
    // As it was sent: read anew from JSON and written again it would have another signature.
    const body = await rawBody(request);
    this.webhooks.take(body, request.get('x-patreon-signature'));
  }
}

async function rawBody(request: StationRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new Failure('BAD_REQUEST', `body: expected ${MAX_BYTES} bytes at most`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('BAD_REQUEST', 'body: it has not come to its end');
  }
  return Buffer.concat(chunks);
}
