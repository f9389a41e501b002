import { rm } from 'node:fs/promises';
import { fixture } from '../test/support/fixtures.js';
import { GitServer } from '../test/support/git-server.js';
import { ask, type OperationMessage, type StationSocket } from '../test/support/station-socket.js';
import { Station } from '../test/support/station.js';
import { sharedToolchains } from '../test/support/temporary-folder.mjs';
import { Narrator } from './narrator.js';

/**
 * `npm run demo [url]`: the whole life of a repository on a station of its own, step by step. Everything is temporary,
 * also after Ctrl+C.
 */
const narrator = new Narrator();
const cleanups: (() => Promise<unknown>)[] = [];
let interrupted = false;

async function demonstrate(givenUrl: string | undefined): Promise<void> {
  cleanups.push(() => rm(sharedToolchains(), { recursive: true, force: true }));
  const gitServer = givenUrl === undefined ? await begin(GitServer.start()) : undefined;
  const sample = await gitServer?.createRepository('demo/hello-express', { files: fixture('express-npm') });
  const allowedHosts = [gitServer?.host, process.env.GIT_ALLOWED_HOSTS].filter((hosts) => hosts !== undefined);
  const station = await begin(Station.start({ allowedHosts }));
  const socket = await station.socket();
  socket.on('repo-progress', (progress) => narrator.progress(progress));
  socket.on('repo-event', (event) => narrator.event(event));

  const repoUrl = givenUrl ?? String(sample?.url);
  narrator.title(`A station at ${station.url} (its documentation: ${station.url}/docs) docks ${repoUrl}`);
  const { repoId } = await step(socket, { operation: 'clone', repoUrl });
  await step(socket, { operation: 'install', repoId });
  const { result: app } = await step(socket, { operation: 'run', repoId });
  if (typeof app.url === 'string') await visit(app.url);
  else narrator.say(`The app listens nowhere: ${String(app.readiness)}`);
  await step(socket, { operation: 'status', repoId });
  await step(socket, { operation: 'stop', repoId });
  await step(socket, { operation: 'unload', repoId });
}

/** What is being started is cleaned up also when it is interrupted before it stands. */
function begin<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  cleanups.push(async () => (await starting).close());
  return starting;
}

async function step(socket: StationSocket, message: OperationMessage) {
  narrator.begin(message.operation);
  const answer = await ask(socket, message);
  // The type has the fields of both kinds of answer; an error is told by having one.
  const failure = answer.error as typeof answer.error | undefined;
  if (failure) throw new Error(`${failure.code}: ${failure.message}\n${failure.suggestion}`);
  narrator.end(message.operation, answer.result);
  return answer;
}

async function visit(url: string): Promise<void> {
  narrator.begin('visit');
  const response = await fetch(url);
  narrator.end('visit', { url, status: response.status, page: (await response.text()).slice(0, 200) });
}

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    await cleanup().catch((error: unknown) => {
      narrator.fail(error);
      process.exitCode = 1;
    });
  }
}

function interrupt(): void {
  if (interrupted) return; // the first one is being attended to
  interrupted = true;
  narrator.say('Interrupted: stopping the app and the station, removing the temporary folders');
  void cleanUp().then(() => process.exit(130));
}
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

try {
  await demonstrate(process.argv[2]);
  narrator.title('Docked, ran, answered, stopped and unloaded.');
} catch (error) {
  if (!interrupted) narrator.fail(error);
  process.exitCode = 1;
}
if (!interrupted) await cleanUp();
