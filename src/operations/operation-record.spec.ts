import { Failure } from '../contracts/failure.js';
import type { OperationName } from '../contracts/operations.js';
import type { NetworkReport } from '../contracts/shapes.js';
import { entryOf } from '../../test/support/repository-entry.js';
import { newRecord, outcomeOf, timeoutOf } from './operation-record.js';

describe('the time that an operation may take', () => {
  const config = { workerTimeoutMs: 300_000 };
  const entry = { runOptions: { readyTimeoutMs: 60_000 } };

  it('is WORKER_TIMEOUT, and as long again as an app may take to get ready', () => {
    expect(timeoutOf('install', {}, entry, config)).toBe(300_000);
    expect(timeoutOf('run', { readyTimeoutMs: 5_000 }, entry, config)).toBe(305_000);
    expect(timeoutOf('update', {}, entry, config)).toBe(300_000);
    expect(timeoutOf('update', { restart: true }, entry, config)).toBe(360_000);
    expect(timeoutOf('update', { restart: true }, { runOptions: null }, config)).toBe(330_000);
  });

  it('is what the caller says of a run that is waited for', () => {
    expect(timeoutOf('run', { background: false, timeoutMs: 7 }, entry, config)).toBe(7);
    expect(timeoutOf('run', { background: false }, entry, config)).toBe(300_000);
  });
});

describe('an operation', () => {
  const network: NetworkReport = { mode: 'private' };
  const recordOf = (name: OperationName, on = network) =>
    newRecord(name, { ...entryOf('r_1', 'app'), network: on }, 'ann', 1);

  it('says what limits hold, and which network what it runs is on', () => {
    const { limits } = entryOf('r_1', 'app');
    for (const name of ['install', 'run', 'stop', 'unload'] as const) {
      expect(recordOf(name)).toMatchObject({ network, limits });
    }
    for (const name of ['clone', 'update', 'status'] as const) {
      const reason = expect.stringMatching(/^git runs on the network of the host/) as string;
      expect(recordOf(name)).toMatchObject({ network: { mode: 'shared', reason }, limits });
    }
  });

  it('of git is on the network of the host as everything else, where there is no other', () => {
    const shared: NetworkReport = { mode: 'shared', reason: 'NETWORK=shared' };
    expect(recordOf('clone', shared).network).toEqual(shared);
  });
});

describe('the outcome of an operation that has failed', () => {
  const cancelled = new Failure('CANCELLED', 'on request');
  const failed = new Failure('INSTALL_FAILED', 'exit code 1');

  it('is its failure', () => {
    expect(outcomeOf(failed)).toMatchObject({ status: 'failed', error: { code: 'INSTALL_FAILED' } });
    expect(outcomeOf(new TypeError('x'))).toMatchObject({ status: 'failed', error: { code: 'INTERNAL_ERROR' } });
  });

  it('is its abort, where there was one, as told by whoever has more to tell of it', () => {
    const signal = AbortSignal.abort(cancelled);
    expect(outcomeOf(failed, signal)).toEqual({ status: 'cancelled', error: cancelled.toData() });
    const told = new Failure('CANCELLED', 'on request; all is undone', { context: { rolledBack: true } });
    expect(outcomeOf(told, signal)).toEqual({ status: 'cancelled', error: told.toData() });
  });
});
