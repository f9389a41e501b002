import type { OpenAPIObject } from '@nestjs/swagger';

/** As much of a schema as matters here. */
interface Field {
  type?: string;
  nullable?: boolean;
  allOf?: object[];
  anyOf?: object[];
}

/** Null and nothing else. It needs some type; of this one, every common generator of clients makes code that is valid. */
const NULL = { type: 'boolean', nullable: true, enum: [null] };

/**
 * Lets fields be null that refer to another schema. Nest writes `nullable` beside the reference: in OpenAPI 3.0 that adds
 * null to the `type` next to it alone, and what is referred to goes on forbidding it.
 */
export function allowNullBesideReferences(document: OpenAPIObject): void {
  const schemas = Object.values(document.components?.schemas ?? {}) as { properties?: Record<string, Field> }[];
  for (const field of schemas.flatMap(({ properties = {} }) => Object.values(properties))) {
    if (!field.nullable || !field.allOf) continue;
    field.anyOf = [...field.allOf, NULL];
    delete field.nullable;
    delete field.type;
    delete field.allOf;
  }
}
