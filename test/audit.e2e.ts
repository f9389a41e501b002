import { fixture } from './support/fixtures.js';
import { ask } from './support/station-socket.js';
import { useStation } from './support/use-station.js';

interface Entry {
  time: number;
  owner: string;
  keyId: string;
  door: string;
  address: string | null;
  action: string;
  repoId: string | null;
  uid: string | null;
  operationId: string | null;
  target: string | null;
  detail: string | null;
  outcome: string;
  code: string | null;
}

interface Page {
  records: Entry[];
  nextCursor: string | null;
}

describe('The audit log', () => {
  const kit = useStation({ env: { SANDBOX: 'none' } });
  let alice: { id: string; key: string };
  const read = async (query: string): Promise<Page> =>
    (await kit.station.api<Page>('GET', `/audit?${query}`)).body.result;
  const asAlice = (method: string, path: string, body?: object, headers = {}) =>
    kit.station.api(method, path, body, { key: alice.key, headers });

  beforeAll(async () => {
    const { body } = await kit.station.api<{ id: string; key: string }>('POST', '/auth/keys', {
      name: 'laptop',
      owner: 'alice',
      scopes: ['read', 'clone', 'update', 'run', 'stop'],
    });
    alice = body.result;
  });

  it('says who did what to which repository, from where, and how it ended', async () => {
    const { url } = await kit.git.createRepository('audit/app', { files: fixture('crashes-at-start') });
    const secret = 'S3CR3T-of-the-caller';
    const clone = await asAlice('POST', '/repo/clone', { repoUrl: url, credentials: { token: secret } });
    const { repoId, uid, operationId } = clone.body;
    expect((await asAlice('POST', `/repo/${repoId}/run`, { env: { SECRET: secret } })).body.code).toBe('APP_EXITED');
    expect((await asAlice('DELETE', `/repo/${repoId}`)).body.code).toBe('FORBIDDEN');
    expect((await asAlice('POST', '/repo/nobody-s/stop')).body.code).toBe('REPO_NOT_FOUND');
    await asAlice('PATCH', `/repo/${repoId}`, { visibility: 'shared' });
    await asAlice('GET', '/repo/list');

    const { records } = await read('owner=alice');
    const by = { owner: 'alice', keyId: alice.id, door: 'rest', address: '127.0.0.1' };
    expect(records).toMatchObject([
      { ...by, repoId, outcome: 'succeeded', code: null },
      { ...by, action: 'stop', repoId: 'nobody-s', operationId: null, outcome: 'refused', code: 'REPO_NOT_FOUND' },
      { ...by, action: 'unload', repoId, outcome: 'refused', code: 'FORBIDDEN' },
      { ...by, action: 'run', repoId, uid, outcome: 'failed', code: 'APP_EXITED' },
      { ...by, action: 'clone', repoId, uid, operationId, outcome: 'succeeded', code: null },
    ]);
    expect(records[0]).toMatchObject({ action: 'PATCH /repo/:repoId', uid, detail: 'visibility: shared' });
    expect(records.every(({ time }) => Math.abs(Date.now() - time) < 60_000)).toBe(true);
    expect(JSON.stringify(records)).not.toContain(secret);
  });

  it('says to whom and to what it was done where that is no repository', async () => {
    await kit.station.api('PUT', '/auth/owners/bob/plan', { plan: 'supporter' });
    await kit.station.api('DELETE', '/auth/keys/none');
    expect((await read('owner=admin&limit=2')).records).toMatchObject([
      { action: 'DELETE /auth/keys/:id', target: 'none', outcome: 'refused', code: 'KEY_NOT_FOUND' },
      { action: 'PUT /auth/owners/:owner/plan', target: 'bob', detail: 'supporter', outcome: 'succeeded' },
    ]);
    expect((await read('target=bob')).records).toHaveLength(1);
    const { id } = alice;
    expect((await read(`target=${id}`)).records).toMatchObject([
      { action: 'POST /auth/keys', detail: 'for alice: read, clone, update, run, stop' },
    ]);
    const token = 'S3CR3T-of-the-forge';
    const kept = await asAlice('POST', '/auth/credentials', { name: 'forge', token });
    const { credentialId } = kept.body.result as { credentialId: string };
    const { records } = await read(`target=${credentialId}`);
    expect(records).toMatchObject([{ owner: 'alice', action: 'POST /auth/credentials', detail: 'forge' }]);
    expect(JSON.stringify(records)).not.toContain(token);
  });

  it('has what was asked for over sockets, too', async () => {
    const socket = await kit.station.socket({ apiKey: alice.key });
    await ask(socket, { operation: 'stop', repoId: 'audit-app' });
    await ask(socket, { operation: 'install', repoId: 'audit-app' });
    await ask(socket, { operation: 'list' });
    await ask(socket, { operation: 'cancel', options: { operationId: 'op_0' } });
    await ask(socket, { operation: 'stop', repoId: 'https://alice:S3CR3T@git.example/app' });
    const { records } = await read('owner=alice&limit=4');
    expect(records).toMatchObject([
      { door: 'socket', action: 'stop', repoId: null, outcome: 'refused', code: 'REPO_NOT_FOUND' },
      { door: 'socket', action: 'cancel', target: 'op_0', outcome: 'refused', code: 'OPERATION_NOT_FOUND' },
      { door: 'socket', action: 'install', repoId: 'audit-app', outcome: 'refused', code: 'FORBIDDEN' },
      { door: 'socket', action: 'stop', repoId: 'audit-app', outcome: 'succeeded' },
    ]);
  });

  it('is read in pages, and by what one looks for', async () => {
    const all = (await read('')).records;
    const first = await read('limit=3');
    const second = await read(`limit=200&cursor=${first.nextCursor}`);
    expect([...first.records, ...second.records]).toEqual(all);
    expect(second.nextCursor).toBeNull();
    const found = async (query: string) => (await read(query)).records.map(({ action }) => action);
    expect(await found('outcome=failed')).toEqual(['run']);
    expect(await found('action=clone')).toEqual(['clone']);
    expect(await found('repository=audit-app&outcome=refused')).toEqual(['install', 'unload']);
    expect(await found(`since=${Date.now()}`)).toEqual([]);
    expect(await found(`until=1`)).toEqual([]);
    expect(await found('owner=admin&action=POST /auth/keys')).toEqual(['POST /auth/keys']);
  });

  it('is for administrators', async () => {
    expect((await asAlice('GET', '/audit')).status).toBe(403);
    expect((await kit.station.api('GET', '/audit?cursor=x')).status).toBe(400);
  });

  it('says of an operation that the end of the server has cut off that it has failed', async () => {
    const { url } = await kit.git.createRepository('audit/slow', { files: fixture('srv') });
    const stall = kit.git.stall('/audit/slow/git-upload-pack');
    const { body } = await asAlice('POST', '/repo/clone', { repoUrl: url }, { prefer: 'respond-async' });
    await stall.reached;
    const outcome = async () => (await read('action=clone&limit=1')).records[0];
    expect(await outcome()).toMatchObject({ operationId: body.operationId, outcome: 'pending' });
    await kit.station.kill('SIGKILL');
    stall.release();
    await kit.station.restart();
    expect(await outcome()).toMatchObject({ operationId: body.operationId, outcome: 'failed', code: 'INTERRUPTED' });
  });
});
