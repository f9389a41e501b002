import type { NestExpressApplication } from '@nestjs/platform-express';
import { clientAddress } from './auth/address.js';
import { ApiKeysService } from './auth/api-keys.service.js';
import { AuditTrail } from './auth/audit/audit-trail.service.js';
import { auditing } from './auth/audit/auditing.js';
import { authenticatedJsonBody } from './auth/authenticated-json-body.js';
import { FailureFilter } from './common/failure.filter.js';
import { serveDocs } from './common/openapi/document.js';
import { deferBodyError } from './common/request-body.js';
import { requestId } from './common/request-context.js';
import { RequestFieldsInterceptor } from './common/request-fields.interceptor.js';
import { securityHeaders } from './common/security-headers.js';
import { StationIoAdapter } from './common/station-io.adapter.js';
import { RequestValidationPipe } from './common/validation.js';
import { STATION_CONFIG, type StationConfig } from './config/config.js';

/**
 * What surrounds every request. Create the application with `bodyParser: false`: with Nest's own parsers, forms would
 * be read as well, and JSON with another limit.
 */
export function applyAppSetup(app: NestExpressApplication): void {
  const config = app.get<StationConfig>(STATION_CONFIG);
  const origins = allowedOrigins(config);
  app.disable('x-powered-by');
  app.set('etag', false); // every answer is told afresh
  app.use(requestId, clientAddress(config.trustProxy), securityHeaders);
  if (origins) {
    app.enableCors({
      origin: origins,
      exposedHeaders: ['Location', 'Preference-Applied', 'Retry-After', 'X-Request-Id'],
    });
  }
  app.use(auditing(app.get(AuditTrail)));
  app.use(deferBodyError(authenticatedJsonBody(app.get(ApiKeysService))));
  app.useGlobalInterceptors(new RequestFieldsInterceptor());
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalFilters(new FailureFilter());
  app.useWebSocketAdapter(new StationIoAdapter(app, origins));
  serveDocs(app);
}

function allowedOrigins({ corsOrigins }: StationConfig): string[] | '*' | undefined {
  if (corsOrigins.includes('*')) return '*';
  return corsOrigins.length > 0 ? [...corsOrigins] : undefined;
}
