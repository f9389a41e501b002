import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { FAILURE_CODE_NAMES, FAILURE_CODES } from '../../contracts/failure-codes.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { FAILURE_STATUS } from '../failure-status.js';
import { addExamples } from './add-examples.js';
import { completeResponses } from './complete-responses.js';
import { allowNullBesideReferences } from './nullable-references.js';

/** Serves Swagger UI at /docs, where / leads, and the OpenAPI document at /docs-json. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createDocument(app), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
    customSiteTitle: 'Docking Station',
    swaggerOptions: { persistAuthorization: true },
  });
  // Relative: the station may be reached below a path of its PUBLIC_URL.
  app.getHttpAdapter().get('/', (_: Request, response: Response) => response.redirect('docs'));
}

function createDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Docking Station')
    .setDescription(`${INTRODUCTION}\n\n${failureTable()}`)
    .setVersion('0.1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(app.get<StationConfig>(STATION_CONFIG).publicUrl ?? '/')
    // addBearerAuth() would say that it is a JWT
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: BEARER })
    .addTag('repositories', 'Clone, install, run, watch, stop, update, unload.')
    .addTag('operations', 'What was asked for, and what became of it.')
    .addTag('auth', 'API keys.')
    .addTag('health', 'Probes and statistics.');
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}_${method}`,
  });
  completeResponses(document);
  addExamples(document);
  allowNullBesideReferences(document);
  return document;
}

const BEARER =
  'An API key, `dock_…`, opaque: it holds nothing to be read, and GET /auth/me says whose it is and what it may do.';

const INTRODUCTION = `Loads Git repositories into workspaces and runs them.

A request waits for its operation by default; \`Prefer: respond-async\` or \`wait=N\` answers 202 with the record of the
operation, which goes on. The HTTP status tells whether \`result\` is the outcome or the record; besides, a record alone
has an \`operationId\` and a \`status\`. A client that hangs up does not cancel. Unknown fields are refused by name. The same
operations are open on Socket.IO as \`repo-operation {operation, repoUrl?, repoId?, options?, apiKey?, requestId?}\`, where
the fields of the bodies below stand in \`options\`, answered by \`repo-success\` or \`repo-error\`. All messages and events
of sockets are in docs/sockets.md of the source.

Every failure is \`application/problem+json\` with one of these codes; on sockets it is
\`{code, message, retryable, suggestion, context}\`:`;

function failureTable(): string {
  const rows = FAILURE_CODE_NAMES.map((code) => {
    const { title, suggestion, retryable } = FAILURE_CODES[code];
    return `| ${FAILURE_STATUS[code]} | \`${code}\` | ${title} | ${retryable ? 'yes' : 'no'} | ${suggestion} |`;
  });
  return ['| status | code | meaning | retryable | what to do |', '|---|---|---|---|---|', ...rows].join('\n');
}
