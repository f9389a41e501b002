import type { OpenAPIObject } from '@nestjs/swagger';
import { isPlainObject } from '../fields.js';
import { EXAMPLES } from './example-values.js';

/** As much of a schema as matters here. */
interface Schema {
  $ref?: string;
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  enum?: unknown[];
  example?: unknown;
}

type Schemas = Record<string, Schema>;

/** Gives every schema, and by them every field, body and answer, its example. */
export function addExamples(document: OpenAPIObject): void {
  const schemas = (document.components?.schemas ?? {}) as Schemas;
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    const schema = schemas[name];
    for (const example of schema ? examples : []) spread(schema as Schema, example, schemas);
  }
  for (const media of mediaOf(document)) {
    if (media.schema && !media.examples) media.example ??= exampleOf(media.schema, schemas);
  }
}

interface Media {
  schema?: Schema;
  example?: unknown;
  examples?: unknown;
}

/** Every body and every answer of every route. */
function mediaOf(document: OpenAPIObject): Media[] {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods) as unknown[]);
  const carriers = operations.flatMap((operation) => {
    const { requestBody, responses } = operation as { requestBody?: unknown; responses: Record<string, unknown> };
    return [requestBody, ...Object.values(responses)];
  }) as ({ content?: Record<string, Media> } | undefined)[];
  return carriers.flatMap((carrier) => Object.values(carrier?.content ?? {}));
}

/** Hands an example down to the fields, and to the schemas that these refer to. What has one keeps it. */
function spread(schema: Schema, example: unknown, schemas: Schemas): void {
  const target = resolve(schema, schemas);
  target.example ??= example;
  if (!isPlainObject(example)) return;
  for (const [name, property] of Object.entries(target.properties ?? {})) {
    const value = example[name];
    if (value === undefined || value === null) continue;
    if (isReference(property)) spread(property, value, schemas);
    else property.example ??= value;
    const [first] = Array.isArray(value) ? (value as unknown[]) : [];
    if (property.items && isReference(property.items) && first !== undefined) spread(property.items, first, schemas);
  }
}

function exampleOf(schema: Schema, schemas: Schemas): unknown {
  const target = resolve(schema, schemas);
  const { properties, enum: values } = target;
  const example = schema.example ?? target.example;
  if (example !== undefined) return example;
  if (values) return values[0];
  const fields = Object.entries(properties ?? {});
  return Object.fromEntries(fields.map(([name, property]) => [name, exampleOf(property, schemas)]));
}

const isReference = ({ $ref, allOf }: Schema): boolean => $ref !== undefined || allOf !== undefined;

function resolve(schema: Schema, schemas: Schemas): Schema {
  const { $ref, allOf } = schema;
  if (allOf?.[0]) return resolve(allOf[0], schemas);
  return ($ref === undefined ? undefined : schemas[$ref.slice($ref.lastIndexOf('/') + 1)]) ?? schema;
}
