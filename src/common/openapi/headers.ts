import { ApiHeader } from '@nestjs/swagger';

export const IdempotencyHeader = ApiHeader({
  name: 'Idempotency-Key',
  required: false,
  description:
    'The same key with the same body means the same request, which is carried out once and answered alike, for 24 hours: safe to send again.',
});
