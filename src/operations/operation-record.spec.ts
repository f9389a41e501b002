import { Failure } from '../contracts/failure.js';
import { outcomeOf, timeoutOf } from './operation-record.js';

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
