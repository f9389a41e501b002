import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../contracts/failure.js';
import type { SandboxPlan } from '../../../contracts/sandbox-plan.js';
import { killTree } from '../../../machine/end-tree.js';
import { findTree } from '../../../machine/process-tree.js';
import { removeFolders } from '../../../machine/remove-folders.js';
import { openSandbox } from './open-sandbox.js';

/** Longer than this no sandbox takes to start. */
const PATIENCE_MS = 15_000;

/** Tries to get out, in each way that has one line, and prints the ways that have worked. */
const ESCAPES = `
const { readFileSync, writeFileSync, readdirSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const { connect } = require('node:net');
const { neighbour, pid, port, addresses, secret } = JSON.parse(process.argv[1]);
const works = (attempt) => { try { return attempt() !== false } catch { return false } };
const reaches = (host) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 1000 });
  const settle = (reached) => () => { socket.destroy(); resolve(reached); };
  socket.on('connect', settle(true)).on('error', settle(false)).on('timeout', settle(false));
});
const environments = () => readdirSync('/proc').filter((name) => +name > 0).some((name) => works(() => readFileSync('/proc/' + name + '/environ', 'utf8').includes(secret)));
const escaped = {
  'reads a file of another repository': works(() => readFileSync(neighbour)),
  'writes to the system': works(() => writeFileSync('/usr/docking-station-probe', '')) || works(() => writeFileSync('/etc/docking-station-probe', '')),
  'reads the environment of the server': environments(),
  'signals the server': works(() => process.kill(pid, 0)) && works(() => readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('docking') ),
  'is root': process.getuid() === 0,
  'has capabilities': /^CapEff:\\s*0*[1-9a-f]/m.test(readFileSync('/proc/self/status', 'utf8')),
  'makes user namespaces': spawnSync('unshare', ['--user', 'true']).status === 0,
};
Promise.all(addresses.map(reaches)).then((reached) => {
  if (reached.includes(true)) escaped['reaches the network of the host'] = true;
  console.log(JSON.stringify(Object.keys(escaped).filter((name) => escaped[name])));
});
`;

export interface ProbeSetting {
  plan: SandboxPlan;
  /** An empty folder that is the probe's alone; it is removed again. */
  folder: string;
  /** Names the processes of the probe. */
  marker: string;
}

/** Starts a sandbox and tries to get out of it. Resolves when nothing has worked; rejects with a Failure that says what has, or why there is no sandbox. */
export async function probeSandbox({ plan, folder, marker }: ProbeSetting): Promise<void> {
  const paths = { workspace: join(folder, 'workspace'), home: join(folder, 'home'), staging: join(folder, 'staging') };
  const neighbour = join(folder, 'neighbour');
  mkdirSync(paths.workspace, { recursive: true });
  writeFileSync(neighbour, 'not to be read', { mode: 0o644 });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const own = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  const isPrivate = plan.network.mode === 'private';
  const question = {
    neighbour,
    pid: process.pid,
    port: (server.address() as AddressInfo).port,
    secret: marker + ':server',
    addresses: isPrivate ? ['127.0.0.1', '10.0.2.2', ...own.filter((address) => !address.includes('%'))] : [],
  };
  const sandbox = openSandbox(plan, { operationId: 'probe', repoId: 'probe', paths, marker });
  try {
    const child = await within(
      sandbox.spawn({
        purpose: 'app',
        file: process.execPath,
        args: ['-e', ESCAPES, JSON.stringify(question)],
        cwd: paths.workspace,
        env: { PATH: '/usr/bin:/bin' },
        stdin: 'empty',
      }),
    );
    const [said, complaint] = await within(Promise.all([text(child.stdout), text(child.stderr)]));
    if (!said) throw new Failure('SANDBOX_UNAVAILABLE', `${complaint.trim().slice(0, 500) || 'no answer'}: the probe`);
    const escaped = JSON.parse(said) as string[];
    if (escaped.length > 0)
      throw new Failure('SANDBOX_UNAVAILABLE', `It does not hold: code inside ${escaped.join(', ')}`);
  } finally {
    await killTree(() => findTree({ marker }));
    await sandbox.dispose();
    server.close();
    await removeFolders([folder]);
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const tooLate = delay(PATIENCE_MS, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Failure('SANDBOX_UNAVAILABLE', `It has not started within ${PATIENCE_MS} ms`);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    over.abort();
    tooLate.catch(() => undefined); // it was in time
  }
}
