import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy, ValidateIf } from 'class-validator';
import 'reflect-metadata';

/**
 * Field decorators: each says once what a field is, for the validation, for its error message ("expected …, got …")
 * and for Swagger. Nothing is converted: a number in quotes is not a number, but in a query string, where all is text.
 */
interface FieldDocs {
  description: string;
  /** Fields are optional unless this says otherwise. */
  required?: boolean;
  example?: unknown;
  /** What applies when the field is left out; documentation only, the operation applies it. */
  default?: string | number | boolean;
}

export type DtoClass = new () => object;

const NESTED = Symbol('nested type');
const CONVERT = Symbol('conversion of a query parameter');

export const nestedTypeOf = (type: DtoClass, name: string): DtoClass | undefined =>
  (Reflect.getMetadata(NESTED, type.prototype as object, name) as (() => DtoClass) | undefined)?.();

export const isQueryNumber = (type: DtoClass, name: string): boolean =>
  Reflect.hasMetadata(CONVERT, type.prototype as object, name);

interface TextOptions extends FieldDocs {
  minLength?: number;
  maxLength: number;
  /** What it must look like, and how to say so. */
  pattern?: { regex: RegExp; says: string };
  /** Its value is never repeated in a message. */
  secret?: boolean;
}

export function TextField({ minLength = 1, maxLength, pattern, secret, ...docs }: TextOptions): PropertyDecorator {
  const expectation = pattern?.says ?? `text of ${minLength} to ${maxLength} characters`;
  const fits = (value: unknown) =>
    typeof value === 'string' &&
    value.length >= minLength &&
    value.length <= maxLength &&
    (pattern?.regex.test(value) ?? true);
  return field(expectation, fits, { type: String, minLength, maxLength, pattern: pattern?.regex.source }, docs, secret);
}

interface IntegerOptions extends FieldDocs {
  minimum: number;
  maximum: number;
  /** A query parameter: digits are taken as a number. */
  query?: boolean;
}

export function IntegerField({ minimum, maximum, query, ...docs }: IntegerOptions): PropertyDecorator {
  const fits = (value: unknown) => Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
  const decorate = field(`an integer from ${minimum} to ${maximum}`, fits, { type: 'integer', minimum, maximum }, docs);
  return query ? applyDecorators(decorate, Reflect.metadata(CONVERT, true)) : decorate;
}

export function FlagField(docs: FieldDocs): PropertyDecorator {
  return field('true or false', (value) => typeof value === 'boolean', { type: Boolean }, docs);
}

interface ChoiceOptions extends FieldDocs {
  values: readonly string[];
  /** What the type of the values is called in the document. */
  enumName?: string;
}

export function ChoiceField({ values, enumName, ...docs }: ChoiceOptions): PropertyDecorator {
  const fits = (value: unknown) => typeof value === 'string' && values.includes(value);
  return field(`one of ${values.join(', ')}`, fits, { enum: [...values], enumName }, docs);
}

export function ChoicesField({ values, enumName, ...docs }: ChoiceOptions): PropertyDecorator {
  const fits = (value: unknown) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string' && values.includes(one));
  const wrong = (value: unknown): unknown =>
    Array.isArray(value)
      ? (value as unknown[]).find((one) => !(typeof one === 'string' && values.includes(one)))
      : value;
  return field(
    `a list of ${values.join(', ')}`,
    fits,
    { isArray: true, enum: [...values], enumName },
    docs,
    false,
    wrong,
  );
}

export function TextsField({
  maxItems,
  maxLength,
  ...docs
}: FieldDocs & { maxItems: number; maxLength: number }): PropertyDecorator {
  const isText = (one: unknown) => typeof one === 'string' && one.length > 0 && one.length <= maxLength;
  const fits = (value: unknown) => Array.isArray(value) && value.length <= maxItems && value.every(isText);
  const expectation = `a list of up to ${maxItems} texts of 1 to ${maxLength} characters`;
  return field(expectation, fits, { type: String, isArray: true, maxItems }, docs);
}

/** An object with fields of its own. */
export function ObjectField({ type, ...docs }: FieldDocs & { type: () => DtoClass }): PropertyDecorator {
  return applyDecorators(field('an object', isPlainObject, { type }, docs), Reflect.metadata(NESTED, type));
}

/** An object whose keys are the caller's own; what it may hold is checked by the operation. Something else may be a secret. */
export function MapField({ values, ...docs }: FieldDocs & { values?: 'string' }): PropertyDecorator {
  const additionalProperties = values ? { type: values } : true;
  return field('an object', isPlainObject, { type: 'object', additionalProperties }, docs, true);
}

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

function field(
  expectation: string,
  fits: (value: unknown) => boolean,
  schema: Record<string, unknown>,
  { required = false, description, default: fallback, ...docs }: FieldDocs,
  secret = false,
  /** What of a value is wrong with it. */
  fault: (value: unknown) => unknown = (value) => value,
): PropertyDecorator {
  return applyDecorators(
    // Swagger keeps `required` of an object literal for the names of its properties.
    ApiProperty({
      ...schema,
      ...docs,
      // Not as `default`: of a field that has one, generators make one that must be sent.
      description: fallback === undefined ? description : `${description} Default: ${fallback}.`,
      [schema.type === 'object' ? 'selfRequired' : 'required']: required,
    }),
    // Left out is fine, null is not: it would reach code that knows only of left out.
    ValidateIf((_, value) => required || value !== undefined),
    ValidateBy({
      name: 'field',
      validator: {
        validate: fits,
        defaultMessage: (args) => `expected ${expectation}, got ${describe(fault(args?.value), secret)}`,
      },
    }),
  );
}

const PREVIEW_CHARS = 60;

/** A value as a message may show it: short, and of a secret no more than its type. */
export function describe(value: unknown, secret = false): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (secret) return `a ${typeof value}${typeof value === 'string' ? ` of ${value.length} characters` : ''}`;
  if (typeof value === 'string' && value.length > PREVIEW_CHARS) return `text of ${value.length} characters`;
  return JSON.stringify(value);
}
