import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MeDto } from '../../src/owners/dto/me.dto.js';
import { eventually } from './eventually.js';
import { FakePatreon, type FakeMember } from './fake-patreon.js';
import { fixture } from './fixtures.js';
import type { GitFile } from './git-repository.js';
import { GitServer } from './git-server.js';
import { keyOf } from './patreon-browser.js';
import { Station } from './station.js';
import { temporaryFolder } from './temporary-folder.mjs';

export const PATRON_PERMISSIONS = ['read', 'clone', 'install', 'update', 'run', 'stop', 'unload', 'keys'];
const DAY_MS = 24 * 60 * 60 * 1000;

/** As PATREON_GRACE_DAYS and RETENTION_DAYS take it. */
export const inDays = (ms: number): string => (ms / DAY_MS).toFixed(8);
export const ownerOf = (user: string): string => `patreon:${user}`;

/** A plan as PLANS_FILE has it, of these tiers. */
export const planOf = (id: string, tiers: string[], quotas: object, name = id): object => ({
  id,
  name,
  permissions: PATRON_PERMISSIONS,
  tiers,
  quotas,
});

/** A station of a campaign at a fake Patreon, whose members sign in, dock and run. */
export class PatronStation {
  private users = 0;

  private constructor(
    readonly station: Station,
    readonly patreon: FakePatreon,
    readonly git: GitServer,
    private readonly folder: string,
  ) {}

  static async start(plans: object[], env: Record<string, string> = {}): Promise<PatronStation> {
    const folder = await temporaryFolder('patreon');
    writePlans(folder, plans);
    const git = await GitServer.start();
    const patreon = await FakePatreon.start();
    const base = { PLANS_FILE: join(folder, 'plans.json'), SANDBOX: 'none', RATE_LIMIT: '0' };
    const options = { allowedHosts: [git.host], env: { ...patreon.environment, ...base, ...env } };
    return new PatronStation(await Station.start(options), patreon, git, folder);
  }

  async close(): Promise<void> {
    await this.station.close();
    await this.patreon.close();
    await this.git.close();
    await rm(this.folder, { recursive: true });
  }

  /** The station reads them by itself, soon. */
  changePlans(plans: object[]): void {
    writePlans(this.folder, plans);
    process.kill(Number(this.station.pid), 'SIGHUP');
  }

  /** Somebody of the campaign who has not signed in; an active patron of tier 100 where nothing else is said. */
  member(changes: Partial<FakeMember> = {}): string {
    const user = String(1000 + ++this.users);
    this.patreon.join({ user, status: 'active_patron', tiers: ['100'], ...changes });
    return user;
  }

  signIn(user: string): Promise<string> {
    return keyOf(this.station, user);
  }

  async me(key: string): Promise<MeDto> {
    const { status, body } = await this.station.api<MeDto>('GET', '/auth/me', undefined, { key });
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body.result;
  }

  /** Resolves with the repoId. */
  async clone(key: string, files: Record<string, GitFile> = fixture('srv')): Promise<string> {
    const { url } = await this.git.createRepository(`patrons/app${++this.users}`, { files });
    const { status, body } = await this.station.clone(url, {}, { key });
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body.result.repoId;
  }

  /** undefined: it is not docked any more. */
  async stateOf(key: string, repoId: string): Promise<string | undefined> {
    return (await this.station.api<{ state: string }>('GET', `/repo/${repoId}`, undefined, { key })).body.result?.state;
  }

  async unload(key: string, ...repoIds: string[]): Promise<void> {
    await Promise.all(repoIds.map((id) => this.station.api('DELETE', `/repo/${id}`, undefined, { key })));
  }

  /** Patreon sends an event about the member, which says something else than is so where `says` does. */
  hook(user: string, says: Partial<FakeMember> = {}): Promise<number> {
    const { body, signature } = this.patreon.webhook(user, says);
    return this.post(body, { 'x-patreon-signature': signature, 'x-patreon-event': 'members:update' });
  }

  async post(body: string | Buffer, headers: Record<string, string>): Promise<number> {
    const { status } = await fetch(`${this.station.url}/auth/patreon/webhook`, {
      method: 'POST',
      body: new Uint8Array(Buffer.from(body)),
      headers: { 'content-type': 'application/json', ...headers },
    });
    return status;
  }

  /** The membership changes, and an event tells the station so. */
  async change(user: string, facts: Partial<FakeMember>): Promise<void> {
    this.patreon.change(user, facts);
    await this.hook(user);
  }

  becomes(key: string, phase: 'active' | 'lapsed'): Promise<boolean> {
    const isSo = async () => (await this.me(key)).permissions.includes('clone') === (phase === 'active');
    return eventually(`the plan is ${phase}`, isSo, 10_000);
  }
}

const writePlans = (folder: string, plans: object[]): void =>
  writeFileSync(join(folder, 'plans.json'), JSON.stringify({ plans }));
