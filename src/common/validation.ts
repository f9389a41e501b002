import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { getMetadataStorage, validateSync } from 'class-validator';
import { Failure } from '../contracts/failure.js';
import { describe, type DtoClass, isPlainObject, isQueryNumber, nestedTypeOf } from './fields.js';

/** As many as somebody can read; a body can have tens of thousands. */
const MAX_PROBLEMS = 20;

/**
 * Turns what a caller sent into a DTO, or fails with BAD_REQUEST that names the fields at fault. REST and Socket.IO
 * both come through here. Only own keys are read, into a fresh instance: `__proto__` is an unknown field like any other.
 */
export function validate<T extends object>(type: new () => T, input: unknown, where = 'body'): T {
  if (input !== undefined && !isPlainObject(input)) {
    throw new Failure('BAD_REQUEST', `${where}: expected an object, got ${describe(input, true)}`);
  }
  const problems: string[] = [];
  const dto = build(type, input ?? {}, '', problems) as T;
  if (problems.length === 0) return dto;
  const more = problems.splice(MAX_PROBLEMS).length;
  if (more > 0) problems.push(`and ${more} more`);
  throw new Failure('BAD_REQUEST', problems.join('; '), { context: { where, problems } });
}

function build(type: DtoClass, input: Record<string, unknown>, path: string, problems: string[]): object {
  const known = fieldsOf(type);
  const accepted = known.size > 0 ? `one of ${[...known].join(', ')}` : 'no fields';
  const dto = new type() as Record<string, unknown>;
  for (const key of Object.keys(input)) {
    if (known.has(key)) {
      dto[key] = isQueryNumber(type, key) ? numberOfText(input[key]) : input[key];
    } else {
      problems.push(`${path}${key.slice(0, 60)}: unknown field, expected ${accepted}`);
    }
  }
  for (const error of validateSync(dto, { forbidUnknownValues: false })) {
    problems.push(`${path}${error.property}: ${Object.values(error.constraints ?? {}).join(', ')}`);
  }
  for (const key of known) {
    const nested = nestedTypeOf(type, key);
    const value = dto[key];
    if (nested && isPlainObject(value)) dto[key] = build(nested, value, `${path}${key}.`, problems);
  }
  return dto;
}

function fieldsOf(type: DtoClass): Set<string> {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return new Set(rules.map((rule) => rule.propertyName));
}

const numberOfText = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;

/** The same for REST, as Nest calls it: bodies and queries whose type is a DTO. */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  transform(value: unknown, { metatype, type }: ArgumentMetadata): unknown {
    if (!metatype || (type !== 'body' && type !== 'query')) return value;
    return validate(metatype as new () => object, value, type);
  }
}
