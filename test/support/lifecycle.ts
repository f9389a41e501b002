import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallResult, RunResult } from '../../src/contracts/operations.js';
import { fixture } from './fixtures.js';
import { IS_MATRIX } from './matrix.js';
import { alive } from './processes.mjs';
import type { Station, StationOptions } from './station.js';
import type { CloneResult, StatusResult, StopResult, UnloadResult, UpdateResult } from './station-client.js';
import { useStation } from './use-station.js';
import { webSocketExchange } from './web-socket.js';

interface Results {
  clone: CloneResult;
  install: InstallResult;
  run: RunResult;
  status: StatusResult;
  update: UpdateResult;
  stop: StopResult;
  unload: UnloadResult;
}

/** A way to have an operation carried out: REST or Socket.IO. Rejects with the failure's code first in its message. */
export type Door = <K extends keyof Results>(
  operation: K,
  target: { repoUrl?: string; repoId?: string },
  options?: Record<string, unknown>,
) => Promise<Results[K]>;

interface AppUnderTest {
  name: string;
  /** Through which it goes in `npm test`; the other one is part of the matrix. */
  door: 'REST' | 'Socket.IO';
  installed?: object;
  builds?: boolean;
  answers?: object;
  serves?: (url: string) => Promise<void>;
}

const APPS: AppUnderTest[] = [
  { name: 'express-npm', door: 'REST', installed: { packageManager: { used: 'npm' }, frozen: true } },
  { name: 'express-yarn', door: 'Socket.IO', installed: { packageManager: { used: 'yarn' }, frozen: true } },
  {
    name: 'express-pnpm',
    door: 'REST',
    installed: { packageManager: { used: 'pnpm', version: '10.12.4' }, frozen: true },
  },
  { name: 'typescript-build', door: 'Socket.IO', builds: true },
  {
    name: 'websocket',
    door: 'Socket.IO',
    serves: async (url) => expect(await webSocketExchange(url, 'hello')).toBe('echo hello'),
  },
  {
    name: 'node-24',
    door: 'REST',
    installed: { node: { wanted: '>=24 <25' } },
    answers: { node: expect.stringMatching(/^v24\./) as unknown },
  },
  { name: 'native-module', door: 'REST', answers: { sum: 42 } },
];

/** The tests that both doors have to pass alike. */
export function describeLifecycle(
  through: AppUnderTest['door'],
  options: StationOptions,
  openDoor: (station: Station) => Promise<Door>,
): void {
  const kit = useStation(options);
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kit.station);
  });

  it.each(APPS.filter((app) => (app.door === through) !== IS_MATRIX))(
    'docks $name, from its clone to its unload',
    async (app) => {
      const repository = await kit.git.createRepository(`alice/${app.name}`, { files: fixture(app.name) });
      const { repoId, commit } = await door('clone', { repoUrl: repository.url });
      expect(repoId).toBe(`alice-${app.name}`);
      expect(await door('install', { repoId })).toMatchObject(app.installed ?? {});
      if (app.builds) {
        const build = await door('run', { repoId }, { script: 'build', background: false });
        expect(build).toMatchObject({ exitCode: 0, readiness: 'exited' });
      }

      const running = await door('run', { repoId });
      expect(running).toMatchObject({ ready: true, readiness: 'listening' });
      expect(await page(running.url)).toMatchObject({ app: app.name, version: 1, ...app.answers });
      await app.serves?.(String(running.url));
      expect(await door('status', { repoId })).toMatchObject({ state: 'running', process: { pid: running.pid } });

      const next = await repository.commit({ 'version.json': '{ "version": 2 }' });
      expect(await door('update', { repoId }, { restart: true })).toMatchObject({
        from: commit,
        to: next,
        changedFiles: ['version.json'],
        dependenciesChanged: false,
        restarted: true,
      });
      const restarted = await door('status', { repoId });
      expect(await page(restarted.app?.url)).toMatchObject({ version: 2 });

      expect(await door('stop', { repoId })).toMatchObject({ stopped: true, alreadyStopped: false });
      expect([running.pid, restarted.app?.pid].filter((pid) => typeof pid === 'number' && alive(pid))).toEqual([]);
      await expect(page(restarted.app?.url)).rejects.toThrow('fetch failed');

      expect(await door('unload', { repoId })).toMatchObject({ unloaded: true, appStopped: false });
      expect(existsSync(join(kit.station.workspaceDir, repoId))).toBe(false);
      await expect(door('status', { repoId })).rejects.toThrow('REPO_NOT_FOUND');
    },
    180_000,
  );
}

async function page(url: string | null | undefined): Promise<unknown> {
  // One connection for each request: a kept one would outlive the app and look like its answer.
  const response = await fetch(String(url), { headers: { connection: 'close' } });
  return response.json();
}
