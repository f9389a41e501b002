import { gitFailure } from './git-failure.js';

describe('what git says', () => {
  it.each([
    ["fatal: Authentication failed for 'https://h/a/b/'", 'GIT_AUTH_REQUIRED'],
    ["fatal: could not read Username for 'https://h': terminal prompts disabled", 'GIT_AUTH_REQUIRED'],
    ["fatal: unable to access 'https://h/a/': The requested URL returned error: 403", 'GIT_AUTH_REQUIRED'],
    ['git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.', 'GIT_AUTH_REQUIRED'],
    ["remote: Repository not found.\nfatal: repository 'https://h/a/' not found", 'GIT_REPOSITORY_NOT_FOUND'],
    ['ERROR: Repository not found.\nfatal: Could not read from remote repository.', 'GIT_REPOSITORY_NOT_FOUND'],
    ["fatal: '/srv/a' does not appear to be a git repository", 'GIT_REPOSITORY_NOT_FOUND'],
    ['fatal: Remote branch repository not found in upstream origin', 'GIT_BRANCH_NOT_FOUND'],
    ["fatal: couldn't find remote ref refs/heads/x", 'GIT_BRANCH_NOT_FOUND'],
    ['No ED25519 host key is known for h and you have requested strict checking.', 'GIT_HOST_KEY_UNKNOWN'],
    ["fatal: unable to access 'https://h/': Could not resolve host: h", 'GIT_UNREACHABLE'],
    ['ssh: connect to host h port 22: Connection refused', 'GIT_UNREACHABLE'],
    ['error: RPC failed; curl 18 transfer closed\nfatal: early EOF', 'GIT_UNREACHABLE'],
    ["fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate", 'GIT_UNREACHABLE'],
    ['fatal: unable to access: server certificate verification failed. CAfile: none', 'GIT_UNREACHABLE'],
    ['fatal: write error: No space left on device', 'NO_SPACE'],
    ['remote: fatal: No space left on device\nfatal: bad pack', 'GIT_FAILED'],
  ])('%j is %s', (output, code) => {
    expect(gitFailure(output, 'clone').code).toBe(code);
  });

  it('names the file that it may not open', () => {
    const output = [
      "warning: could not open directory 'closed/': Permission denied",
      'error: open("a.txt"): Permission denied',
      "error: unable to index file 'a.txt'",
      'fatal: updating files failed',
    ].join('\n');
    expect(gitFailure(output, 'add')).toMatchObject({
      code: 'GIT_FAILED',
      message: 'open("a.txt"): Permission denied: git add',
      suggestion: expect.stringContaining('permissions') as string,
    });
  });

  it('is repeated in the context without its percentages', () => {
    const output =
      "Cloning into 'x'...\nReceiving objects:  50% (1/2)\rReceiving objects: 100% (2/2), done.\nfatal: bad pack";
    const failure = gitFailure(output, 'clone');
    expect(failure.message).toBe('bad pack: git clone');
    expect(failure.context).toEqual({ lines: ['fatal: bad pack'] });
  });
});
