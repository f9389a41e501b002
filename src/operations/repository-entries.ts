import { lstat, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import { KeyedMutex } from '../common/keyed-mutex.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import {
  baseRepoId,
  parseRepositoryUrl,
  refuseForbiddenHost,
  urlHash,
  validateBranch,
  validateRepoId,
} from '../contracts/repository-url.js';
import { CredentialStore } from '../registry/credential-store.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { removeFolders } from '../machine/remove-folders.js';
import { newUid } from './ids.js';
import type { CloneOptions } from '../contracts/operation-options.js';
import { StationFolders } from './station-folders.js';
import { StationIsolation } from './station-isolation.js';

/** Ids are free or taken for one owner, folders for all of them. */
const EVERYBODY = '';

/** Enters new repositories (who may have which id, and in which folder), and takes them out again. */
@Injectable()
export class RepositoryEntries {
  private readonly logger = new Logger('Operations');
  /** One at a time: two clones must not both find an id, a folder or a plan's last place free. */
  private readonly mutex = new KeyedMutex();

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly folders: StationFolders,
    private readonly isolation: StationIsolation,
    private readonly stored: CredentialStore,
  ) {}

  /** CREDENTIAL_NOT_FOUND, INVALID_URL, INVALID_BRANCH, GIT_HOST_NOT_ALLOWED, SANDBOX_UNAVAILABLE, ALREADY_LOADED, REPO_ID_TAKEN, PLAN_LIMIT. */
  async enter(options: CloneOptions, principal: Principal): Promise<RepositoryEntry> {
    const url = parseRepositoryUrl(options.repoUrl);
    if (options.branch !== undefined) validateBranch(options.branch);
    refuseForbiddenHost(url, this.config.gitAllowedHosts);
    const { canonicalUrl } = url;
    await this.requireCredentials(options.credentials, principal);
    const isolated = options.isolated ?? null;
    this.requireIsolation(isolated, baseRepoId(canonicalUrl), principal);
    const { isolation, network, limits } = this.isolation.planFor({ isolated, owner: principal.owner });
    return this.mutex.runExclusive(EVERYBODY, async () => {
      const repoId = await this.chooseId(canonicalUrl, options.repoId, principal.owner);
      await this.requireRoom(principal);
      const uid = newUid();
      const now = Date.now();
      const entry: RepositoryEntry = {
        uid,
        repoId,
        owner: principal.owner,
        visibility: options.visibility ?? 'private',
        workspace: await this.chooseFolder(repoId, uid),
        canonicalUrl,
        repoUrl: canonicalUrl,
        branch: options.branch ?? null,
        refKind: 'branch',
        commit: null,
        depth: options.depth ?? 1,
        state: 'cloning',
        stateReason: null,
        declaresDependencies: false,
        defaults: { production: options.production, packageManager: options.packageManager },
        installed: null,
        isolated,
        isolation,
        network,
        limits,
        app: null,
        appOperationId: null,
        appTree: null,
        runOptions: null,
        credentials: options.credentials ?? url.credentials ?? null,
        eventSeq: 0,
        homeNode: hostname(),
        epoch: 1,
        createdAt: now,
        updatedAt: now,
      };
      await this.registry.insert(entry);
      return entry;
    });
  }

  /**
   * Where a clone has found its repository. ALREADY_LOADED where redirects have led to one that its owner has, unless the
   * clone has chosen a repoId.
   */
  async locate({ uid, owner }: RepositoryEntry, repoUrl: string, chosenId: string | undefined): Promise<void> {
    await this.mutex.runExclusive(EVERYBODY, async () => {
      const others = (await this.registry.listOf(owner)).filter((entry) => entry.uid !== uid);
      const same = chosenId === undefined && others.find((entry) => isFrom(entry, repoUrl));
      if (same) throw alreadyLoaded(same);
      await this.registry.update(uid, { repoUrl });
    });
  }

  /** Takes a repository out again whose first clone did not succeed, with all that it has left on disk. */
  async withdraw(entry: RepositoryEntry): Promise<void> {
    // The workspace, too, is its own: it did not exist when the repository was entered.
    const { workspace, home, staging } = this.folders.pathsOf(entry);
    // Where the next start looks: nobody would remove what is left of a workspace that is in no registry any more.
    const aside = join(dirname(staging), `.withdrawn-${entry.uid}`);
    await rename(workspace, aside).catch(() => undefined); // most often there is none yet
    try {
      await removeFolders([staging, workspace, aside, home]);
    } catch (error) {
      this.logger.warn(`Not all of ${entry.workspace} could be removed: ${String(error)}`);
    }
    await this.registry.remove(entry.uid);
  }

  private requireIsolation(isolated: boolean | null, repoId: string, { permissions }: Principal): void {
    if (isolated === true) this.isolation.requireFor({ isolated, repoId });
    if (isolated !== false || (permissions.includes('admin') && this.config.allowUnisolated)) return;
    throw new Failure('FORBIDDEN', 'isolated: false needs an administrator, and ALLOW_UNISOLATED=true', {
      suggestion: 'Leave isolated out.',
    });
  }

  /** CREDENTIAL_NOT_FOUND: one's own only, and what is another's is not to be told from what is not there. */
  async requireCredentials(credentials: CloneOptions['credentials'], { owner }: Principal): Promise<void> {
    if (!credentials || !('credentialId' in credentials)) return;
    const found = await this.stored.find(credentials.credentialId);
    if (found?.owner !== owner)
      throw new Failure('CREDENTIAL_NOT_FOUND', 'You have stored no credentials with this id.');
  }

  private async requireRoom({ owner, plan }: Principal): Promise<void> {
    plan?.requireRoomFor('repositories', (await this.registry.listOf(owner)).length);
  }

  private async chooseId(canonicalUrl: string, wanted: string | undefined, owner: string): Promise<string> {
    const own = await this.registry.listOf(owner);
    const sameUrl = own.find((entry) => isFrom(entry, canonicalUrl));
    if (wanted !== undefined) {
      const chosen = validateRepoId(wanted);
      const taken = own.find((entry) => entry.repoId === chosen);
      if (taken && isFrom(taken, canonicalUrl)) throw alreadyLoaded(taken);
      if (!taken) return chosen;
      throw new Failure('REPO_ID_TAKEN', `You already have another repository named ${chosen}`, {
        context: { repoId: taken.repoId, uid: taken.uid },
      });
    }
    if (sameUrl) throw alreadyLoaded(sameUrl);
    const base = baseRepoId(canonicalUrl);
    const isTaken = (repoId: string) => own.some((entry) => entry.repoId === repoId);
    return isTaken(base) ? `${base}-${urlHash(canonicalUrl)}` : base;
  }

  /** A folder that nobody has, not even as a left-over of a repository that is gone. */
  private async chooseFolder(repoId: string, uid: string): Promise<string> {
    const others = await this.registry.findByRepoId(repoId);
    const exists = await lstat(join(this.config.workspaceDir, repoId)).then(
      () => true,
      () => false,
    );
    return others.length > 0 || exists ? `${repoId}~${uid}` : repoId;
  }
}

/** By the URL that was asked for, or the one that redirects led to. */
const isFrom = ({ canonicalUrl, repoUrl }: RepositoryEntry, url: string): boolean =>
  canonicalUrl === url || repoUrl === url;

function alreadyLoaded({ repoId, uid, state }: RepositoryEntry): Failure {
  return new Failure('ALREADY_LOADED', `You have loaded this repository already: ${repoId}`, {
    context: { repoId, uid, state },
  });
}
