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
  minLength?: number;
  pattern?: RegExp;
  expects?: string;
}

export function text(options: TextOptions & { default: string }): Variable<string>;
export function text(options: TextOptions & { optional: true }): Variable<string | undefined>;
export function text(options: TextOptions & { default?: string; optional?: true }): Variable<string> {
  const { minLength = 1, pattern } = options;
  return {
    default: options.default,
    optional: options.optional,
    expects: options.expects ?? `text of at least ${minLength} characters`,
    read: (value) => (value.length >= minLength && (pattern?.test(value) ?? true) ? value : undefined),
  };
}

export function path(options: { default: string }): Variable<string>;
export function path(options: { optional: true }): Variable<string | undefined>;
export function path(options: { default?: string; optional?: true }): Variable<string> {
  return { ...options, expects: 'a path', read: (value) => (value.includes('\0') ? undefined : value) };
}

export function list({ default: preset }: { default: string }): Variable<string[]> {
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

export function hostPorts(options: { default: string }): Variable<string[]> {
  const entries = list(options);
  return {
    ...entries,
    expects: 'a comma-separated list of host:port',
    read: (value) => {
      const hosts = entries.read(value)?.map((entry) => entry.toLowerCase());
      return hosts?.every((entry) => /^(\[[0-9a-f:.]+\]|[^\s:/@]+):\d{1,5}$/.test(entry)) ? hosts : undefined;
    },
  };
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
