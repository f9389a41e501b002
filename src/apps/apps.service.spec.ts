import type { App } from '../contracts/shapes.js';
import type { FromThread, ToThread } from '../contracts/worker-messages.js';
import { AppListener, AppsService, type EndedApp, type RunningApp, type RunOrigin } from './apps.service.js';

const app: App = {
  pid: 1,
  script: 'start',
  command: 'node .',
  port: null,
  appPort: null,
  url: null,
  ready: false,
  startedAt: 1,
  restarts: 0,
};
const tree = { marker: 'station:r_1:op_1' };

/** Remembers what it was told, and takes its time for each. */
class Listener extends AppListener {
  readonly told: string[] = [];
  failing = false;
  last: EndedApp | undefined;

  onStarted = () => this.hear('started');
  onTree = () => this.hear('tree');
  onReady = () => this.hear('ready');
  onEnded = (_: RunningApp, ended: EndedApp) => {
    this.last = ended;
    return this.hear('ended');
  };

  private async hear(what: string): Promise<void> {
    await new Promise(setImmediate);
    if (this.failing) throw new Error('the disk is full');
    this.told.push(what);
  }
}

describe('the apps that run', () => {
  let listener: Listener;
  let apps: AppsService;
  let posted: ToThread[];
  let endThread: () => void;
  let origin: RunOrigin;

  beforeEach(() => {
    listener = new Listener();
    apps = new AppsService(listener);
    posted = [];
    const ended = new Promise<void>((resolve) => (endThread = resolve));
    const thread = { post: (message: ToThread) => void posted.push(message), ended };
    origin = { thread, runId: 'op_1', operationId: 'op_1', options: {} };
  });

  const says = (message: FromThread, from = origin) => apps.handle('r_1', message, from);
  const ends = (cause: EndedApp['cause'] = 'exited') =>
    says({ type: 'app-ended', app: { ...app, pid: null, exitCode: 0 }, cause });

  it('are told of in order, however long it takes to listen', async () => {
    says({ type: 'app-started', app, tree });
    says({ type: 'app-tree', app: { ...app, pid: 2 }, tree });
    expect(apps.get('r_1')?.app.pid).toBe(2);
    says({ type: 'app-ready', app: { ...app, ready: true } });
    const ended = apps.whenEnded('r_1');
    ends();
    expect(apps.get('r_1')).toBeUndefined();
    expect(await ended).toMatchObject({ pid: null, exitCode: 0 });
    expect(listener.last?.wasReady).toBe(true);
    expect(listener.told).toEqual(['started', 'tree', 'ready', 'ended']);
  });

  it('that are stopped have not crashed, whatever their end looks like', async () => {
    says({ type: 'app-started', app, tree });
    apps.stopping('r_1', 'unload');
    expect(posted).toEqual([{ type: 'stopping', reason: 'unload' }]);
    ends('crashed');
    await apps.settled('r_1');
    expect(listener.last).toMatchObject({ cause: 'stopped', app: { stopReason: 'unload' } });
  });

  it('have crashed when their thread ends without a word', async () => {
    says({ type: 'app-started', app, tree });
    const ended = apps.whenEnded('r_1');
    endThread();
    expect(await ended).toMatchObject({ pid: null, ready: false });
    expect(listener.last?.cause).toBe('crashed');
  });

  it('end once', async () => {
    says({ type: 'app-started', app, tree });
    ends();
    endThread();
    await apps.settled('r_1');
    expect(listener.told).toEqual(['started', 'ended']);
  });

  it('are not touched by a thread of an earlier run', async () => {
    says({ type: 'app-started', app, tree });
    const earlier = { ...origin, thread: { ...origin.thread } };
    says({ type: 'app-ended', app, cause: 'crashed' }, earlier);
    expect(apps.get('r_1')).toBeDefined();
  });

  it('go on when their news cannot be kept', async () => {
    listener.failing = true;
    says({ type: 'app-started', app, tree });
    await apps.settled('r_1');
    listener.failing = false;
    ends();
    await apps.settled('r_1');
    expect(listener.told).toEqual(['ended']);
  });

  it('are none that has never started', async () => {
    apps.stopping('r_1', 'stop');
    expect(await apps.whenEnded('r_1')).toBeUndefined();
    expect(apps.list()).toEqual([]);
  });
});
