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
  /** Always there: clients read from it without asking first. */
  context: FailureContext;
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
  readonly context: FailureContext;

  constructor(
    readonly code: FailureCode,
    message: string,
    options: FailureOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.retryable = options.retryable ?? FAILURE_CODES[code].retryable;
    this.suggestion = options.suggestion ?? FAILURE_CODES[code].suggestion;
    this.context = options.context ?? {};
  }

  static from(data: FailureData): Failure {
    return new Failure(data.code, data.message, data);
  }

  /**
   * A failure as it is; a full disk by its errno. What nobody has foreseen is told as no more than that: its message may
   * name the server's own files. It is the cause, for the server's log.
   */
  static of(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const errno = (error as NodeJS.ErrnoException | null | undefined)?.code;
    if (errno === 'ENOSPC' || errno === 'EDQUOT') return new Failure('NO_SPACE', 'The disk is full', { cause: error });
    return new Failure('INTERNAL_ERROR', 'Something went wrong on the server', { cause: error });
  }

  toData(): FailureData {
    const { code, message, retryable, suggestion, context } = this;
    return { code, message, retryable, suggestion, context };
  }
}
