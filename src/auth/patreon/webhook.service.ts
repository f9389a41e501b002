import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { Failure } from '../../contracts/failure.js';
import { PatronChecks } from './patron-checks.service.js';
import { memberOf } from './patreon-documents.js';
import { isSameText } from './same-text.js';

/**
 * Takes what Patreon tells of members. An event may be late, sent again, or overtaken: it says of whom something has changed,
 * and Patreon is asked what.
 */
@Injectable()
export class WebhookService {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: Pick<StationConfig, 'patreon'>,
    @Inject(PatronChecks) private readonly checks: PatronChecks | null,
  ) {}

  /** PATREON_NOT_CONFIGURED. */
  requireSecret(): string {
    const secret = this.config.patreon?.webhookSecret;
    if (secret !== undefined) return secret;
    throw new Failure('PATREON_NOT_CONFIGURED', 'There is no secret with which a webhook could be checked.');
  }

  /** BAD_SIGNATURE; BAD_REQUEST where what was signed is no JSON. What is about somebody else is taken, and nothing is done. */
  take(body: Buffer, signature: string | undefined): void {
    const expected = createHmac('md5', this.requireSecret()).update(body).digest('hex');
    if (!isSameText(signature?.toLowerCase() ?? '', expected)) {
      throw new Failure('BAD_SIGNATURE', 'The signature is not that of this body with the secret of the webhook.');
    }
    const member = memberOf(resourceIn(body));
    if (!member || member.campaignId !== this.config.patreon?.campaignId) return;
    void this.checks?.heed(member.patreonId, member.membership);
  }
}

function resourceIn(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString('utf8')) as { data?: unknown } | null)?.data;
  } catch (cause) {
    throw new Failure('BAD_REQUEST', 'body: expected JSON', { cause });
  }
}
