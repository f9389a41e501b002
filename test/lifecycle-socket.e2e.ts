import { fixture } from './support/fixtures.js';
import { IS_MATRIX } from './support/matrix.js';
import { describeLifecycle, type Door } from './support/lifecycle.js';
import { ask, type StationSocket, type SuccessMessage } from './support/station-socket.js';
import { useStation } from './support/use-station.js';

describe('the lifecycle over Socket.IO, without a sandbox,', () => {
  describeLifecycle('Socket.IO', { env: { SANDBOX: 'none' } }, async (station) => socketDoor(await station.socket()));
});

(IS_MATRIX ? describe.skip : describe)('messages that do not wait for one another', () => {
  const kit = useStation();

  it('clone, install and run a repository when they are sent in one go', async () => {
    const { url } = await kit.git.createRepository('owner/app', { files: fixture('express-npm') });
    const socket = await kit.station.socket({ apiKey: null });
    const successes: SuccessMessage[] = [];
    const finished = new Promise<void>((resolve, reject) => {
      socket.on('repo-error', ({ operation, error }) =>
        reject(new Error(`${operation}: ${error.code} ${error.message}`)),
      );
      socket.on('repo-success', (message) => {
        successes.push(message);
        if (successes.length === 3) resolve();
      });
    });
    const apiKey = kit.station.adminKey;

    socket.emit('repo-operation', { operation: 'clone', repoUrl: url, options: { branch: 'main', depth: 1 }, apiKey });
    socket.emit('repo-operation', {
      operation: 'install',
      repoId: 'owner-app',
      options: { production: false },
      apiKey,
    });
    socket.emit('repo-operation', {
      operation: 'run',
      repoId: 'owner-app',
      options: { background: true, script: 'start', env: { NODE_ENV: 'development', API_KEY: 'your-app-api-key' } },
      apiKey,
    });
    await finished;

    expect(successes.map(({ operation }) => operation)).toEqual(['clone', 'install', 'run']);
    const answer = await fetch(String(successes[2]?.result.url));
    expect(await answer.json()).toMatchObject({ app: 'express-npm' });
  }, 120_000);
});

function socketDoor(socket: StationSocket): Door {
  return async <R>(operation: string, target: object, options?: Record<string, unknown>) => {
    const answer = await ask(socket, { operation, ...target, options });
    const failure = answer.error as typeof answer.error | undefined;
    if (failure) throw new Error(`${failure.code}: ${failure.message}`);
    return answer.result as R;
  };
}
