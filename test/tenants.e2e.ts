import type { Socket } from 'socket.io-client';
import { PERMISSIONS } from '../src/contracts/permissions.js';
import { eventually } from './support/eventually.js';
import { fixture } from './support/fixtures.js';
import { ask } from './support/station-socket.js';
import { useStation } from './support/use-station.js';

interface Schema {
  example?: unknown;
}
interface Parameter {
  name: string;
  in: string;
}
interface Route {
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Schema> };
}

/** What one can be asked by name of somebody else's. */
interface Names {
  repoId: string;
  uid: string;
  operationId: string;
  keyId: string;
  credentialId: string;
  owner: string;
}

/** Nobody's, and of the same form: an answer must not say whether a name is another's or nobody's. */
const NOBODYS: Names = {
  repoId: 'nobody-secret-app',
  uid: 'r_00000000000000ff',
  operationId: 'op_00000000000000000ff0',
  keyId: '00000000-0000-4000-8000-000000000000',
  credentialId: 'cred_00000000000000ff',
  owner: 'nobody',
};

/** What a parameter names. A new one has to be entered here, and is attacked from then on. */
function namedBy(path: string, parameter: string): (keyof Names)[] {
  if (parameter === 'repoId') return ['repoId', 'uid'];
  if (parameter === 'owner') return ['owner'];
  if (parameter === 'operationId' || path.startsWith('/operations/')) return ['operationId'];
  if (path.startsWith('/auth/keys/')) return ['keyId'];
  if (path.startsWith('/auth/credentials/')) return ['credentialId'];
  throw new Error(`${path}: what does ${parameter} name of somebody else's?`);
}

/** Whatever a field of a body is called that names something. */
const FIELDS: Record<string, keyof Names> = {
  repoId: 'uid',
  operationId: 'operationId',
  credentialId: 'credentialId',
  owner: 'owner',
  keyId: 'keyId',
};

/** Bob has a repository, an app that runs, operations, keys and credentials; Alice is nobody to him. */
describe('Of two owners neither', () => {
  const kit = useStation({ env: { SANDBOX: 'none' } });
  const scopes = PERMISSIONS.filter((permission) => permission !== 'admin');
  let alice: string;
  let bob: string;
  let bobs: Names;
  let paths: Record<string, Record<string, Route>>;
  /** Her own: what is asked of it must not lead to his. */
  let own: string;
  let remembered: unknown;
  const heard: string[] = [];
  let socket: Socket;

  const as = (key: string) => ({ key });
  const read = async <R>(path: string) => (await kit.station.api<R>('GET', path, undefined, as(bob))).body.result;

  /** All that Bob has, as he sees it. */
  const estate = async () => ({
    repository: await read(`/repo/${bobs.uid}`),
    operations: await read('/operations'),
    keys: (await read<{ keys: { lastUsedAt: unknown }[] }>('/auth/keys')).keys.map(({ lastUsedAt: _, ...key }) => key),
    credentials: await read('/auth/credentials'),
  });

  beforeAll(async () => {
    const { git, station } = kit;
    alice = await station.createKey('alice', { scopes });
    bob = await station.createKey('bob', { scopes });
    const { url } = await git.createRepository('bob/secret-app', { files: fixture('srv') });
    const { repoId, uid, operationId } = (await station.clone(url, {}, as(bob))).body;
    await station.run(repoId, {}, as(bob));
    const key = await station.api<{ id: string }>('POST', '/auth/keys', { name: 'bobs' }, as(bob));
    const stored = await station.api<{ credentialId: string }>(
      'POST',
      '/auth/credentials',
      { name: 'bobs', token: 'secret-of-bob' },
      as(bob),
    );
    const { id: keyId } = key.body.result;
    bobs = { repoId, uid, operationId, keyId, credentialId: stored.body.result.credentialId, owner: 'bob' };
    const hers = await git.createRepository('alice/app', { files: fixture('srv') });
    own = (await station.clone(hers.url, {}, as(alice))).body.repoId;
    const document = (await station.api('GET', '/docs-json', undefined, { key: null })).body as unknown as {
      paths: typeof paths;
    };
    ({ paths } = document);
    socket = await station.socket({ apiKey: alice });
    socket.onAny((event: string, payload: unknown) => void heard.push(`${event} ${JSON.stringify(payload)}`));
    remembered = await estate();
  });

  /** Without what differs from answer to answer, and without the names that she has said herself. */
  function comparable(status: unknown, body: unknown, said: Names): string {
    const names = Object.values(said) as string[];
    const text = JSON.stringify([status, body], (key, value: unknown) =>
      ['requestId', 'operationId', 'retryAfterSeconds'].includes(key) && status !== 200 ? undefined : value,
    );
    return names.reduce((rest, name) => rest.replaceAll(name, '…'), text).replaceAll(/"requestId":"[^"]*"/g, '');
  }

  const revealing = (text: string): string[] =>
    [bobs.uid, bobs.operationId, bobs.keyId, bobs.credentialId, 'secret-app', 'secret-of-bob'].filter((name) =>
      text.includes(name),
    );

  /** An example of a body, in which whatever names something names one of these. */
  function naming(value: unknown, names: Names): unknown {
    if (Array.isArray(value)) return value.map((one) => naming(one, names));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => {
        const named = FIELDS[key];
        return [key, named ? names[named] : naming(one, names)];
      }),
    );
  }

  it('learns from any route what the other has, nor changes it', async () => {
    const differences: object[] = [];
    let attacks = 0;
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { security, parameters = [], requestBody }] of Object.entries(methods)) {
        if (!security) continue;
        const [medium] = Object.values(requestBody?.content ?? {});
        const inPath = parameters.filter((one) => one.in === 'path');
        const inQuery = parameters.filter((one) => one.in === 'query' && one.name in FIELDS);
        const cloned = { repoUrl: `${kit.git.url}/alice/other.git`, credentials: { credentialId: '' } };
        const bodies = [path === '/repo/clone' ? cloned : medium?.example];
        const ways = inPath.flatMap(({ name }) => namedBy(path, name).map((named) => ({ name, named })));
        // Her own in the path, and his in the query.
        const queries = inQuery.map((one) => ({ name: 'repoId', named: undefined, query: one.name }));
        for (const way of [...ways, ...queries, ...(ways.length === 0 ? [undefined] : [])]) {
          for (const example of bodies) {
            const answer = async (names: Names) => {
              const named = way?.named === undefined ? own : names[way.named];
              const query = way && 'query' in way ? `?${way.query}=${names[FIELDS[way.query] ?? 'uid']}` : '';
              const target = `${path.replace(/\{\w+\}/, named)}${query}`;
              const body = naming(example, names) as object | undefined;
              const { status, body: said } = await kit.station.api(method.toUpperCase(), target, body, as(alice));
              const text = JSON.stringify(said);
              if (revealing(comparable(status, said, names)).length > 0) differences.push({ method, target, text });
              return comparable(status, said, names);
            };
            attacks += 1;
            const [his, nobodys] = [await answer(bobs), await answer(NOBODYS)];
            const isNamed = way !== undefined || JSON.stringify(naming(example, bobs)) !== JSON.stringify(example);
            if (isNamed && his !== nobodys) differences.push({ method, path, his, nobodys });
          }
        }
      }
    }
    expect(differences).toEqual([]);
    expect(attacks).toBeGreaterThan(25);
    expect(await estate()).toEqual(remembered);
  }, 60_000);

  it('learns from any message what the other has, nor changes it', async () => {
    // The station itself says which events and operations there are.
    const unknown = (await socket.emitWithAck('x', {})) as { error: { message: string } };
    const events = (/one of (.+)$/.exec(unknown.error.message)?.[1] ?? '').split(', ');
    const refused = (await socket.emitWithAck('repo-operation', { operation: 'x' })) as { error: { message: string } };
    const operations = (/one of ([^,]+(?:, [^,]+)*), got/.exec(refused.error.message)?.[1] ?? '').split(', ');
    expect(events).toEqual(expect.arrayContaining(['repo-operation', 'repo-subscribe', 'repo-unsubscribe']));
    expect(operations).toEqual(expect.arrayContaining(['clone', 'run', 'unload', 'operation', 'cancel', 'list']));

    const messages = (names: Names): [string, object][] => [
      ...operations.flatMap((operation): [string, object][] =>
        [{ repoId: names.repoId }, { repoId: names.uid }, { options: { operationId: names.operationId } }].map(
          (named) => ['repo-operation', { operation, ...named }],
        ),
      ),
      ...events
        .filter((event) => event !== 'repo-operation')
        .flatMap((event): [string, object][] =>
          [names.repoId, names.uid].map((repoId) => [event, { repoId, logs: true, sinceSeq: 0 }]),
        ),
    ];
    const ofBob = messages(bobs);
    const ofNobody = messages(NOBODYS);
    const differences: object[] = [];
    for (const [index, [event, message]] of ofBob.entries()) {
      const [, counterpart] = ofNobody[index] ?? ['', {}];
      const his = (await socket.emitWithAck(event, message)) as object;
      const nobodys = (await socket.emitWithAck(event, counterpart)) as object;
      const [one, other] = [comparable('socket', his, bobs), comparable('socket', nobodys, NOBODYS)];
      if (one !== other) differences.push({ event, message, one, other });
    }
    expect(differences).toEqual([]);
    expect(await estate()).toEqual(remembered);
  }, 60_000);

  it('hears of what the other does', async () => {
    const { station } = kit;
    heard.length = 0;
    await station.stop(bobs.repoId, {}, as(bob));
    await station.run(bobs.repoId, {}, as(bob));
    await station.unload(bobs.repoId, as(bob));
    await ask(socket, { operation: 'run', repoId: own });
    await eventually('she hears of her own', () => heard.some((frame) => frame.includes(own)));
    expect(heard.filter((frame) => revealing(frame).length > 0)).toEqual([]);
  }, 60_000);
});
