import { fixture } from './support/fixtures.js';
import { alive } from './support/processes.mjs';
import { useStation } from './support/use-station.js';

describe('an app without dependencies', () => {
  const kit = useStation();

  async function dock(name: string): Promise<string> {
    const { url } = await kit.git.createRepository(`alice/${name}`, { files: fixture(name) });
    const { status, body } = await kit.station.clone(url);
    expect(status).toBe(201);
    return body.repoId;
  }

  it('runs without an install, and its output is in the log', async () => {
    const repoId = await dock('srv');
    const { body: run } = await kit.station.run(repoId);
    expect(run.result).toMatchObject({ ready: true, readiness: 'listening', script: 'start' });

    const { body: logs } = await kit.station.api<{ lines: { text: string }[] }>(
      'GET',
      `/repo/${repoId}/logs?tail=1000`,
    );
    expect(logs.result.lines.map(({ text }) => text)).toContain('up');

    await kit.station.stop(repoId);
    expect((await kit.station.entry(repoId)).body.result.state).toBe('stopped');
  });

  it('that ends with exit code 0 has run to its end', async () => {
    const repoId = await dock('hello');
    const { status, body } = await kit.station.run(repoId);
    expect([status, body.result]).toMatchObject([200, { readiness: 'exited', exitCode: 0, ready: false }]);
    expect((await kit.station.entry(repoId)).body.result.state).toBe('stopped');
  });

  it('that throws at its start is a failed run with its last lines', async () => {
    const repoId = await dock('crashes-at-start');
    const { status, body } = await kit.station.run(repoId);
    expect([status, body.code]).toEqual([422, 'APP_EXITED']);
    expect(JSON.stringify(body.context)).toContain('DATABASE_HOST is not set');
    expect((await kit.station.entry(repoId)).body.result.state).toBe('error');
  });

  it('that ignores PORT is found where it really listens', async () => {
    const repoId = await dock('listens-elsewhere');
    const { body } = await kit.station.run(repoId);
    expect(body.result).toMatchObject({ ready: true, readiness: 'listening' });
    const answer = await fetch(String(body.result.url));
    expect(await answer.text()).toBe('elsewhere\n');
  });

  it('that never listens runs on when the time to get ready is over', async () => {
    const repoId = await dock('never-listens');
    const { status, body } = await kit.station.run(repoId, { readyTimeoutMs: 500 });
    expect([status, body.result]).toMatchObject([200, { ready: false, readiness: 'timeout' }]);
    const { pid } = body.result;
    expect(alive(Number(pid))).toBe(true);
    expect((await kit.station.entry(repoId)).body.result.state).toBe('running');

    const { body: unloaded } = await kit.station.unload(repoId);
    expect(unloaded.result).toMatchObject({ unloaded: true, appStopped: true });
    expect(alive(Number(pid))).toBe(false);
  });
});
