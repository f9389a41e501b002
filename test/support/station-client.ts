import type { InstallResult, RunResult, StatusOutput } from '../../src/contracts/operations.js';
import type { UpdateLogs } from '../../src/operations/procedures/update-logs.js';
import type { App, Operation, Repository } from '../../src/contracts/shapes.js';

/** Success and problem in one: a test says which it expects, and reads what that one has. */
export interface Body<R> {
  success: boolean;
  operation: string;
  operationId: string;
  repoId: string;
  uid: string;
  result: R;
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  suggestion: string;
  context: Record<string, unknown>;
  requestId: string;
}

export interface Reply<R = unknown> {
  status: number;
  headers: Headers;
  body: Body<R>;
}

export interface RequestOptions {
  /** Another key than the administrator's; `null` sends none. */
  key?: string | null;
  headers?: Record<string, string>;
}

export type CloneResult = Repository & { durationMs: number; warnings: string[] };
export type StatusResult = Repository &
  Omit<StatusOutput, 'process'> & { process: (App & NonNullable<StatusOutput['process']>) | null };
export interface UpdateResult {
  from: string;
  to: string;
  changedFiles: string[];
  commits: { commit: string; subject: string }[];
  dependenciesChanged: boolean;
  restartRequired: boolean;
  savedRef?: string;
  restarted?: boolean;
  rolledBack?: boolean;
  logs?: UpdateLogs;
}
export interface StopResult {
  stopped: true;
  alreadyStopped: boolean;
  exitCode: number | null;
  signal: string | null;
  forced: boolean;
  durationMs: number;
}
export interface UnloadResult {
  unloaded: true;
  appStopped: boolean;
  freedBytes: number;
}

/** The REST API as a client written from its documentation would use it. */
export class StationClient {
  constructor(
    readonly url: string,
    readonly adminKey: string,
  ) {}

  async api<R = unknown>(
    method: string,
    path: string,
    body?: unknown,
    { key = this.adminKey, headers = {} }: RequestOptions = {},
  ): Promise<Reply<R>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse<R>(text) };
  }

  clone(repoUrl: string, options: object = {}, request?: RequestOptions) {
    return this.api<CloneResult>('POST', '/repo/clone', { repoUrl, ...options }, request);
  }

  install(repoId: string, options: object = {}, request?: RequestOptions) {
    return this.api<InstallResult>('POST', `/repo/${repoId}/install`, options, request);
  }

  run(repoId: string, options: object = {}, request?: RequestOptions) {
    return this.api<RunResult>('POST', `/repo/${repoId}/run`, options, request);
  }

  stop(repoId: string, options: object = {}, request?: RequestOptions) {
    return this.api<StopResult>('POST', `/repo/${repoId}/stop`, options, request);
  }

  update(repoId: string, options: object = {}, request?: RequestOptions) {
    return this.api<UpdateResult>('POST', `/repo/${repoId}/update`, options, request);
  }

  status(repoId: string, request?: RequestOptions) {
    return this.api<StatusResult>('GET', `/repo/${repoId}/status`, undefined, request);
  }

  unload(repoId: string, request?: RequestOptions) {
    return this.api<UnloadResult>('DELETE', `/repo/${repoId}`, undefined, request);
  }

  entry(repoId: string, request?: RequestOptions) {
    return this.api<Repository>('GET', `/repo/${repoId}`, undefined, request);
  }

  operation(operationId: string, request?: RequestOptions) {
    return this.api<Operation>('GET', `/operations/${operationId}`, undefined, request);
  }

  cancel(operationId: string, request?: RequestOptions) {
    return this.api<Operation>('POST', `/operations/${operationId}/cancel`, undefined, request);
  }

  /** A key of another owner. */
  async createKey(owner: string, options: object = {}): Promise<string> {
    const { status, body } = await this.api<{ key: string }>('POST', '/auth/keys', { name: owner, owner, ...options });
    if (status !== 201) throw new Error(`No key for ${owner}: ${status} ${body.code} ${body.detail}`);
    return body.result.key;
  }
}

/** A page or an empty answer has none of the fields; a test that expected some sees `undefined`. */
function parse<R>(text: string): Body<R> {
  try {
    return JSON.parse(text) as Body<R>;
  } catch {
    return {} as Body<R>;
  }
}
