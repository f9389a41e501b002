import { accessSync, constants, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** A small vocabulary for environment variables: each says how to read its text, and what it expects when it can't. */
export interface Variable<T> {
  /** Reads the text of the variable; undefined means that the text is not valid. */
  read(text: string): T | undefined;
  expects: string;
  default?: string;
  optional?: boolean;
}

type Described = Record<string, Variable<unknown>>;
export type Variables<D extends Described> = { [K in keyof D]: D[K] extends Variable<infer T> ? T : never };

/** Reads every variable; an error says what is expected and never what was found, which may be a secret. */
export function readVariables<D extends Described>(
  described: D,
  env: NodeJS.ProcessEnv,
): { values?: Variables<D>; errors: string[] } {
  const errors: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(described)) {
    const text = env[name]?.trim() || variable.default;
    if (text === undefined && variable.optional) continue;
    const value = variable.read(text ?? '');
    if (value === undefined) errors.push(`${name}: expected ${variable.expects}`);
    else values[name] = value;
  }
  return { values: errors.length === 0 ? (values as Variables<D>) : undefined, errors };
}

export function int({ default: preset, min, max }: { default: number; min: number; max: number }): Variable<number> {
  return {
    default: String(preset),
    expects: `a whole number from ${min} to ${max}`,
    read: (text) => (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  };
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Read as milliseconds; parts of a day are written with a point. */
export const days = (range: { default: number; max: number }): Variable<number> => span('days', DAY_MS, range);

/** Read as milliseconds; parts of a minute are written with a point. */
export const minutes = (range: { default: number; max: number }): Variable<number> => span('minutes', MINUTE_MS, range);

function span(
  unit: string,
  unitMs: number,
  { default: preset, max }: { default: number; max: number },
): Variable<number> {
  return {
    default: String(preset),
    expects: `a number of ${unit} from 0 to ${max}`,
    read: (text) => (/^\d+(\.\d+)?$/.test(text) && Number(text) <= max ? Math.round(Number(text) * unitMs) : undefined),
  };
}

export function bool({ default: preset }: { default: boolean }): Variable<boolean> {
  const meanings: Record<string, boolean> = { true: true, '1': true, false: false, '0': false };
  return { default: String(preset), expects: 'true or false', read: (text) => meanings[text.toLowerCase()] };
}

export function choice<const T extends readonly string[]>(
  names: T,
  { default: preset }: { default: T[number] },
): Variable<T[number]> {
  return {
    default: preset,
    expects: `one of ${names.join(', ')}`,
    read: (text) => names.find((name) => name === text),
  };
}

interface TextOptions {
  optional: true;
  pattern: RegExp;
  expects: string;
}

export function text(options: TextOptions): Variable<string | undefined>;
export function text({ pattern, ...options }: TextOptions): Variable<string> {
  return { ...options, read: (value) => (pattern.test(value) ? value : undefined) };
}

export function path(options: { default: string }): Variable<string> {
  return { ...options, expects: 'a path', read: (value) => (value.includes('\0') ? undefined : value) };
}

/** A file that is there, and that the server may read. */
export function file(options: { optional: true }): Variable<string | undefined>;
export function file(options: { optional: true }): Variable<string> {
  return {
    ...options,
    expects: 'a file that the server may read',
    read: (value) => (isReadable(value) ? value : undefined),
  };
}

function isReadable(name: string): boolean {
  try {
    accessSync(name, constants.R_OK);
    return statSync(name).isFile();
  } catch {
    return false;
  }
}

/** Something to listen on: with any other the first connection would tell of a mistake that was made long before. */
export function address({ default: preset }: { default: string }): Variable<string> {
  return {
    default: preset,
    expects: 'an IP address of this machine, 0.0.0.0 or :: for all of them, or localhost',
    read: (value) => (value === 'localhost' || isOwnAddress(value) ? value : undefined),
  };
}

function isOwnAddress(value: string): boolean {
  if (isIP(value) === 0) return false;
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return /^(127\.|0\.0\.0\.0$|::1?$)/.test(value) || own.some((one) => one.address === value.replace(/%.*/, ''));
}

/** Without a slash at its end. */
export function webUrl(options: { optional: true }): Variable<string | undefined>;
export function webUrl(options: { default: string }): Variable<string>;
export function webUrl(options: { optional?: true; default?: string }): Variable<string> {
  return {
    ...options,
    expects: 'an http:// or https:// URL without credentials, query and fragment',
    read: (value) => {
      if (!URL.canParse(value)) return undefined;
      const { protocol, origin, pathname, href } = new URL(value);
      const isPlain = /^https?:$/.test(protocol) && href === origin + pathname;
      return isPlain ? href.replace(/\/+$/, '') : undefined;
    },
  };
}

function list({ default: preset }: { default: string }): Variable<string[]> {
  return {
    default: preset,
    expects: 'a comma-separated list',
    read: (value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
  };
}

const isOrigin = (entry: string): boolean => entry === '*' || (URL.canParse(entry) && new URL(entry).origin === entry);

export function origins(options: { default: string }): Variable<string[]> {
  const entries = list(options);
  return {
    ...entries,
    expects: 'a comma-separated list of origins such as https://example.com, or *',
    read: (value) => (entries.read(value)?.every(isOrigin) ? entries.read(value) : undefined),
  };
}

export function hostPorts(options: { default: string }): Variable<string[]> {
  const entries = list(options);
  return {
    ...entries,
    expects: 'a comma-separated list of host:port',
    read: (value) => {
      const hosts = entries.read(value)?.map((entry) => entry.toLowerCase());
      return hosts?.every(isHostPort) ? hosts : undefined;
    },
  };
}

function isHostPort(entry: string): boolean {
  const port = Number(/^(?:\[[0-9a-f:.]+\]|[^\s:/@]+):(\d+)$/.exec(entry)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

export function portRange(options: { default: string }): Variable<{ first: number; last: number }> {
  return {
    ...options,
    expects: 'first-last, two ports from 1024 to 65535',
    read: (value) => {
      const [first, last] = /^(\d+)-(\d+)$/.exec(value)?.slice(1).map(Number) ?? [];
      const valid = first !== undefined && last !== undefined && first >= 1024 && last <= 65535 && first <= last;
      return valid ? { first, last } : undefined;
    },
  };
}
