import { describeLifecycle, type Door } from './support/lifecycle.js';
import type { Station } from './support/station.js';

describe('the lifecycle over REST, in a sandbox,', () => {
  describeLifecycle('REST', { env: { SANDBOX: 'bubblewrap' } }, (station) => Promise.resolve(restDoor(station)));
});

function restDoor(station: Station): Door {
  return async <R>(operation: string, { repoUrl, repoId }: { repoUrl?: string; repoId?: string }, options = {}) => {
    const answer = await station.api<R>(...requestOf(operation, String(repoId), repoUrl, options));
    if (answer.status >= 300) throw new Error(`${answer.body.code}: ${answer.body.detail}`);
    return answer.body.result;
  };
}

function requestOf(operation: string, repoId: string, repoUrl: string | undefined, options: object): Request {
  if (operation === 'clone') return ['POST', '/repo/clone', { repoUrl, ...options }];
  if (operation === 'status') return ['GET', `/repo/${repoId}/status`];
  if (operation === 'unload') return ['DELETE', `/repo/${repoId}`];
  return ['POST', `/repo/${repoId}/${operation}`, options];
}

type Request = [method: string, path: string, body?: object];
