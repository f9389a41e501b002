import { readFileSync } from 'node:fs';
import { Failure } from './failure.js';

const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('what callers are told of an error that nobody has foreseen', () => {
  it('is that it happened, and nothing of the files of the server', () => {
    const error = thrownBy(() => readFileSync('/no/such/file'));
    const failure = Failure.of(error);
    expect(failure.code).toBe('INTERNAL_ERROR');
    expect(JSON.stringify(failure.toData())).not.toContain('/no/such');
    expect(failure.cause).toBe(error);
  });

  it('is that the disk is full, when it is, and not which file did not fit', () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, open '/data/x'"), { code: 'ENOSPC' });
    expect(Failure.of(error).toData()).toMatchObject({ code: 'NO_SPACE', message: 'The disk is full' });
  });
});
