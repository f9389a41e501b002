import { Injectable } from '@nestjs/common';
import { Failure } from '../contracts/failure.js';
import type { Visibility } from '../contracts/shapes.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import type { Principal } from './principal.js';

/** What a repoId or uid can look like, in lower case. Nothing else is ever looked up. */
const ID = /^[a-z0-9][a-z0-9._-]{0,199}$/;

/** Which repositories a caller may see and change, and which one they mean by an id. */
@Injectable()
export class RepositoryAccess {
  constructor(private readonly registry: RepositoryRegistry) {}

  async visible(principal: Principal): Promise<RepositoryEntry[]> {
    return (await this.registry.list()).filter((entry) => maySee(principal, entry));
  }

  /**
   * The repository that the caller means: by uid, else their own of that name, else the only visible one. Unknown and
   * not visible are one answer, REPO_NOT_FOUND.
   */
  async toRead(id: string, principal: Principal): Promise<RepositoryEntry> {
    const wanted = id.toLowerCase();
    const candidates = ID.test(wanted) ? await this.candidates(wanted) : [];
    const visible = candidates.filter((entry) => maySee(principal, entry));
    const own = visible.find((entry) => entry.owner === principal.owner);
    if (own) return own;
    const [only, ...others] = visible;
    if (!only) throw new Failure('REPO_NOT_FOUND', `No repository "${id.slice(0, 200)}" that this key may see.`);
    if (others.length > 0) {
      throw new Failure('AMBIGUOUS_REPO', `${visible.length} visible repositories have the id "${wanted}".`, {
        context: { uids: visible.map((entry) => entry.uid) },
      });
    }
    return only;
  }

  /** The same, for a change: FORBIDDEN where the caller may only read it. */
  async toChange(id: string, principal: Principal): Promise<RepositoryEntry> {
    const entry = await this.toRead(id, principal);
    if (principal.admin || entry.owner === principal.owner) return entry;
    throw new Failure('FORBIDDEN', `"${entry.repoId}" belongs to ${entry.owner}; it is shared for reading only.`, {
      context: { owner: entry.owner, visibility: entry.visibility },
      suggestion: `Ask ${entry.owner} or an administrator; clone it yourself to have one of your own.`,
    });
  }

  /**
   * The same, for removing it. Another owner's is meant by its uid only: who says DELETE once more, because the first
   * answer was lost, must not remove the next repository of that name.
   */
  async toRemove(id: string, principal: Principal): Promise<RepositoryEntry> {
    const entry = await this.toChange(id, principal);
    if (entry.owner === principal.owner || entry.uid === id.toLowerCase()) return entry;
    throw new Failure('REPO_NOT_FOUND', `No repository "${entry.repoId}" of your own; ${entry.owner} has one.`, {
      context: { owner: entry.owner, uids: [entry.uid] },
      suggestion: `To remove the one of ${entry.owner}, name it by its uid: ${entry.uid}`,
    });
  }

  private async candidates(id: string): Promise<RepositoryEntry[]> {
    const byUid = await this.registry.find(id);
    return byUid ? [byUid] : this.registry.findByRepoId(id);
  }
}

/** A private repository is its owner's and the administrators'; a shared one everybody's to read. */
export function maySee(principal: Principal, repository: { owner: string; visibility: Visibility }): boolean {
  return repository.visibility === 'shared' || principal.admin || principal.owner === repository.owner;
}
