import { FAILURE_CODES, type FailureCode } from './failure-codes.js';

/** Plain facts beside a failure: the last output lines, the ids in question, the scripts that exist. Never a secret. */
export type FailureContext = Record<string, unknown>;

/** A failure as it crosses threads, is stored, and is told to clients. */
export interface FailureData {
  code: FailureCode;
  /** The reason first, then what was run. */
  message: string;
  retryable: boolean;
  suggestion: string;
  context?: FailureContext;
}

interface FailureOptions {
  suggestion?: string;
  retryable?: boolean;
  context?: FailureContext;
  cause?: unknown;
}

/** The one error class of the station. An Error loses its class between threads: send `toData()`, rebuild with `from()`. */
export class Failure extends Error {
  readonly retryable: boolean;
  readonly suggestion: string;
  readonly context?: FailureContext;

  constructor(
    readonly code: FailureCode,
    message: string,
    options: FailureOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.retryable = options.retryable ?? FAILURE_CODES[code].retryable;
    this.suggestion = options.suggestion ?? FAILURE_CODES[code].suggestion;
    this.context = options.context;
  }

  static from(data: FailureData): Failure {
    return new Failure(data.code, data.message, data);
  }

  /** A failure as it is; a full disk by its errno; anything else is `fallback`, with the original as cause. */
  static of(error: unknown, fallback: FailureCode = 'INTERNAL_ERROR'): Failure {
    if (error instanceof Failure) return error;
    const message = error instanceof Error ? error.message : String(error);
    const errno = (error as NodeJS.ErrnoException | null)?.code;
    if (errno === 'ENOSPC' || errno === 'EDQUOT') return new Failure('NO_SPACE', message, { cause: error });
    return new Failure(fallback, message, { cause: error });
  }

  toData(): FailureData {
    const { code, message, retryable, suggestion, context } = this;
    return { code, message, retryable, suggestion, ...(context && { context }) };
  }
}
