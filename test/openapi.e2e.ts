import { Ajv, type ValidateFunction } from 'ajv';
import { fixture, packageJson } from './support/fixtures.js';
import { useStation } from './support/use-station.js';

type Json = Record<string, unknown>;

interface Media {
  schema: Json;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Answer {
  description: string;
  headers?: Json;
  content?: Record<string, Media>;
}
interface Route {
  operationId: string;
  summary?: string;
  security?: unknown[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Answer>;
}
interface Document {
  paths: Record<string, Record<string, Route>>;
  servers: { url: string }[];
  components: {
    securitySchemes: Record<string, Json>;
    schemas: Record<string, Json & { example?: unknown; properties?: Record<string, Json> }>;
  };
}

/**
 * What OpenAPI 3.0 means, in the words of JSON Schema, and no more: `nullable` adds null to the `type` beside it, nothing
 * counts beside a `$ref`. And a field that is not described is a mistake.
 */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { nullable, example: _, ...rest } = schema as Json;
  if (typeof rest.$ref === 'string') return { $ref: rest.$ref };
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, strict(value)]));
  if (inner.type === 'object' && inner.properties !== undefined) inner.additionalProperties ??= false;
  return nullable && inner.type !== undefined ? { ...inner, type: [inner.type, 'null'] } : inner;
}

/** Every schema below a part of the document, with where it is; examples are no schemas. */
function schemasIn(part: unknown, where = ''): [string, Json][] {
  if (typeof part !== 'object' || part === null) return [];
  const below = Object.entries(part).filter(([key]) => key !== 'example' && key !== 'examples');
  return [[where, part as Json], ...below.flatMap(([key, value]) => schemasIn(value, `${where}/${key}`))];
}

describe('The OpenAPI document', () => {
  const kit = useStation();
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const validators = new Map<string, ValidateFunction>();
  let document: Document;
  let routes: [string, string, Route][];

  beforeAll(async () => {
    document = (await kit.station.api('GET', '/docs-json', undefined, { key: null })).body as unknown as Document;
    routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]): [string, string, Route] => [method, path, route]),
    );
    const schemas = Object.entries(document.components.schemas).map(([name, schema]) => [name, strict(schema)]);
    ajv.addSchema({ $id: 'document', components: { schemas: Object.fromEntries(schemas) as Json } });
  });

  /** What is wrong with a value by a schema of the document. */
  function faults(schema: Json, value: unknown): string[] {
    const text = JSON.stringify(strict(schema)).replaceAll('"#/', '"document#/');
    const validate = validators.get(text) ?? ajv.compile(JSON.parse(text) as Json);
    validators.set(text, validate);
    return validate(value)
      ? []
      : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`);
  }

  it('says of every route what it does, what it answers, and how it fails', () => {
    expect(routes.length).toBeGreaterThan(20);
    for (const [method, path, route] of routes) {
      const answers = Object.entries(route.responses);
      const incomplete = answers.filter(([status, { headers = {}, content = {} }]) => {
        const media = Object.values(content);
        const shown = media.every(
          ({ example, examples = {} }) => example !== undefined || Object.keys(examples).length > 0,
        );
        const isEmpty = status === '204' || status === '302';
        return !shown || (!isEmpty && media.length === 0) || !('X-Request-Id' in headers);
      });
      const statuses = answers.map(([status]) => status);
      const expected = route.security?.length ? ['400', '401', '500'] : ['503'];
      expect([method, path, route.summary, incomplete]).toEqual([method, path, expect.stringMatching(/\w/), []]);
      expect(statuses).toEqual(expect.arrayContaining([expect.stringMatching(/^20|^302/), ...expected]));
      if (route.requestBody) expect(Object.keys(route.responses)).toContain('413');
    }
  });

  it('says where the station is, and what a key is', () => {
    expect(document.servers).toEqual([{ url: '/' }]);
    expect(document.components.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer', description: expect.stringContaining('API key') as string },
    });
  });

  it('says of every route whether it needs a key', () => {
    for (const [method, path, { security }] of routes) {
      const needs = /^\/(health|auth\/patreon)/.test(path) ? [] : [{ bearer: [] }];
      expect([method, path, security]).toEqual([method, path, needs]);
    }
  });

  it('gives no field of a body a `default`, which would make generators ask for it', () => {
    const bodies = routes.flatMap(([, , { requestBody }]) => Object.values(requestBody?.content ?? {}));
    expect(bodies.length).toBeGreaterThan(5);
    const all = [...schemasIn(bodies), ...schemasIn(document.components.schemas)];
    expect(all.filter(([, schema]) => 'default' in schema)).toEqual([]);
    expect(document.components.schemas.CloneDto?.properties?.depth?.description).toMatch(/Default: 1\.$/);
  });

  it('has one name for every enumeration, so that generators make one type of each', () => {
    const written = routes
      .filter(([, path]) => !path.startsWith('/health')) // whose answers have no schemas of their own
      .flatMap(([, , route]) => schemasIn(route));
    const unnamed = [...written, ...schemasIn(document.components.schemas)]
      .filter(([where]) => !/^\/\w+$/.test(where))
      .filter(([, schema]) => Array.isArray(schema.enum) && schema.enum.length > 1);
    expect(unnamed).toEqual([]);
    const { ReasonDto, Problem, CreateKeyDto } = document.components.schemas;
    const fields = [ReasonDto?.properties?.code, Problem?.properties?.operation, CreateKeyDto?.properties?.scopes];
    for (const name of ['FailureCode', 'OperationName', 'Permission']) {
      expect(JSON.stringify(fields)).toContain(`/schemas/${name}"`);
    }
  });

  it('has an operationId for every route that reads well as the name of a function', () => {
    const ids = routes.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(['owners_me', 'credentials_store', 'webhook_receive', 'repo_change']));
  });

  it('tells the outcome of an operation from its record', () => {
    const resultOf = (answer?: Answer) => {
      const properties = answer?.content?.['application/json']?.schema.properties as { result: { $ref: string } };
      return document.components.schemas[properties.result.$ref.split('/').at(-1) ?? ''] as Json;
    };
    const operations = routes.filter(([, , { responses }]) => '202' in responses);
    expect(operations).toHaveLength(7);
    for (const [, , { responses }] of operations) {
      const [done, goesOn] = [responses['200'] ?? responses['201'], responses['202']];
      expect(resultOf(done).properties).not.toHaveProperty('operationId');
      expect(resultOf(goesOn).required).toEqual(expect.arrayContaining(['operationId', 'status']));
      for (const answer of [done, goesOn]) expect(answer?.description).toMatch(/202|HTTP status.*`operationId`/);
    }
  });

  it('declares the headers of answers that have some', () => {
    const headers = (path: string, method: string, status: string) =>
      Object.keys(document.paths[path]?.[method]?.responses[status]?.headers ?? {});
    expect(headers('/repo/clone', 'post', '202')).toEqual(expect.arrayContaining(['Location', 'Preference-Applied']));
    expect(headers('/repo/clone', 'post', '429')).toContain('Retry-After');
    expect(headers('/repo/clone', 'post', '503')).toContain('Retry-After');
    expect(headers('/auth/me', 'get', '401')).toContain('WWW-Authenticate');
    for (const path of ['/repo/{repoId}/logs', '/operations/{id}/logs']) {
      const { parameters = [], responses = {} } = document.paths[path]?.get ?? {};
      expect(parameters.map(({ name }) => name)).toContain('Last-Event-ID');
      expect(responses['200']?.content?.['text/event-stream']?.schema).toEqual({ type: 'string' });
    }
  });

  it('has examples that fit: of bodies, answers, failures and fields', () => {
    const media = routes.flatMap(([method, path, { requestBody, responses }]) =>
      [requestBody, ...Object.values(responses)].flatMap((one) =>
        Object.values(one?.content ?? {}).map((medium) => [`${method} ${path}`, medium] as const),
      ),
    );
    for (const [where, { schema, example, examples }] of media) {
      const values = examples ? Object.values(examples).map(({ value }) => value) : [example];
      for (const value of values) expect([where, faults(schema, value)]).toEqual([where, []]);
    }
    const bare = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(
          ([, field]) =>
            !('example' in field || 'enum' in field || '$ref' in field || 'allOf' in field || 'anyOf' in field),
        )
        .filter(([, { items }]) => !(items && '$ref' in (items as Json)))
        .map(([field]) => `${name}.${field}`),
    );
    expect(bare).toEqual([]);
  });

  it('says of every field what it is', () => {
    const undescribed = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, field]) => !('description' in field || '$ref' in field || 'allOf' in field))
        .map(([field]) => `${name}.${field}`),
    );
    expect(undescribed).toEqual([]);
  });

  it('describes what is really answered, field by field', async () => {
    const { git, station } = kit;
    const compared = new Set<string>();
    async function compare(method: string, path: string, template: string, body?: object, prefer?: string) {
      const headers: Record<string, string> = prefer === undefined ? {} : { prefer };
      const answer = await station.api<{ operationId: string }>(method.toUpperCase(), path, body, { headers });
      const described = document.paths[template]?.[method]?.responses[answer.status];
      const [medium] = Object.values(described?.content ?? {});
      const wrong = medium ? faults(medium.schema, answer.body) : ['this status is not described'];
      expect([method, path, answer.status, wrong]).toEqual([method, path, answer.status, []]);
      const listed = medium?.examples;
      if (listed) expect(Object.keys(listed)).toContain(answer.body.code);
      compared.add(`${method} ${template}`);
      return answer.body;
    }

    const { url } = await git.createRepository('documented/app', { files: fixture('srv') });
    await compare('post', '/repo/clone', '/repo/clone', { repoUrl: url });
    await compare('post', '/repo/clone', '/repo/clone', { repoUrl: url });
    await compare('post', '/repo/clone', '/repo/clone', { repoUrl: 'nonsense' });
    const repo = (suffix: string) => `/repo/documented-app${suffix}`;
    const of = (suffix: string) => `/repo/{repoId}${suffix}`;
    await compare('post', repo('/install'), of('/install'), {});
    await compare('post', repo('/run'), of('/run'), { script: 'nope' });
    await compare('post', repo('/run'), of('/run'), {});
    await compare('post', repo('/run'), of('/run'), {});
    for (const suffix of ['', '/status', '/logs', '/operations']) await compare('get', repo(suffix), of(suffix));
    await compare('patch', repo(''), of(''), { visibility: 'shared' });
    await compare('patch', repo(''), of(''), { visibility: 'x' });
    await git.createRepository('documented/other', { files: { 'package.json': packageJson({ build: 'echo built' }) } });
    await compare('post', '/repo/clone', '/repo/clone', { repoUrl: `${git.url}/documented/other` }, 'respond-async');
    await compare('get', '/repo/list', '/repo/list');
    await compare('post', repo('/update'), of('/update'), {});
    const { operationId } = await compare('post', repo('/stop'), of('/stop'), {});
    await compare('get', `/operations/${operationId}`, '/operations/{id}');
    await compare('get', `/operations/${operationId}/logs`, '/operations/{id}/logs');
    await compare('post', `/operations/${operationId}/cancel`, '/operations/{id}/cancel');
    await compare('get', '/operations', '/operations');
    await compare('delete', repo(''), of(''));
    await compare('delete', repo(''), of(''));
    const key = (await compare('post', '/auth/keys', '/auth/keys', { name: 'a' })) as unknown as {
      result: { id: string };
    };
    await compare('get', '/auth/keys', '/auth/keys');
    await compare('delete', `/auth/keys/${key.result.id}`, '/auth/keys/{id}');
    await compare('put', '/auth/owners/bob/plan', '/auth/owners/{owner}/plan', { plan: 'supporter' });
    await compare('put', '/auth/owners/bob/plan', '/auth/owners/{owner}/plan', { plan: 'nope' });
    await compare('delete', '/auth/owners/bob/plan', '/auth/owners/{owner}/plan');
    const stored = (await compare('post', '/auth/credentials', '/auth/credentials', {
      name: 'a',
      token: 't',
    })) as unknown as {
      result: { credentialId: string };
    };
    await compare('post', '/auth/credentials', '/auth/credentials', { name: 'a' });
    await compare('get', '/auth/credentials', '/auth/credentials');
    await compare('delete', `/auth/credentials/${stored.result.credentialId}`, '/auth/credentials/{id}');
    await compare('delete', '/auth/credentials/x', '/auth/credentials/{id}');
    await compare('get', '/auth/patreon', '/auth/patreon'); // which is not set up here
    await compare('get', '/auth/patreon/callback', '/auth/patreon/callback');
    await compare('post', '/auth/patreon/webhook', '/auth/patreon/webhook', {});
    for (const path of ['/auth/plans', '/auth/owners', '/audit', '/auth/me']) await compare('get', path, path);
    for (const path of ['/health', '/health/live', '/health/ready']) await compare('get', path, path);
    expect([...compared].toSorted()).toEqual(routes.map(([method, path]) => `${method} ${path}`).toSorted());
  }, 120_000);
});
