import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import { RepositoryAccess } from '../auth/repository-access.js';
import { repositoryView } from '../common/repository-view.js';
import { Failure } from '../contracts/failure.js';
import type { OperationName } from '../contracts/operation-names.js';
import type { Repository } from '../contracts/shapes.js';
import type { OperationOptions } from '../contracts/operation-options.js';
import { LiveOperations } from '../operations/live-operations.service.js';
import type { OperationTicket, SubmitContext } from '../operations/operation-request.js';
import { OperationsService } from '../operations/operations.service.js';
import { RepositoryChanges } from '../operations/repository-changes.js';
import { RepositoryEntries } from '../operations/repository-entries.js';
import { OwnerUseService } from '../owners/owner-use.service.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { credentialsOf } from './dto/credentials.dto.js';
import type { RepositoryChangeDto } from './dto/repository-change.dto.js';
import { checkRunEnv } from './dto/run-env.js';

export type RepositoryOperation = Exclude<OperationName, 'clone'>;

/** Is refused to an owner who has more than the plan allows. */
const NEW_WORK = new Set<RepositoryOperation>(['install', 'update', 'run']);

/** What can be asked of repositories, for REST and Socket.IO alike: access first, then the operation. */
@Injectable()
export class RepoService {
  constructor(
    private readonly access: RepositoryAccess,
    private readonly changes: RepositoryChanges,
    private readonly entries: RepositoryEntries,
    private readonly operations: OperationsService,
    private readonly live: LiveOperations,
    private readonly use: OwnerUseService,
  ) {}

  async list(caller: Principal): Promise<{ repositories: Repository[]; count: number }> {
    const repositories = (await this.access.visible(caller)).map((entry) => this.view(entry));
    return { repositories, count: repositories.length };
  }

  async get(id: string, caller: Principal): Promise<Repository> {
    return this.view(await this.access.toRead(id, caller));
  }

  /** BAD_REQUEST where nothing is to change; CREDENTIAL_NOT_FOUND, FORBIDDEN. */
  async change(id: string, caller: Principal, wanted: RepositoryChangeDto): Promise<Repository> {
    const { uid, owner } = await this.access.toChange(id, caller);
    const { visibility } = wanted;
    const credentials = wanted.credentials && credentialsOf(wanted.credentials);
    if (!visibility && !credentials) throw new Failure('BAD_REQUEST', 'expected visibility or credentials');
    // They would go on to serve its owner.
    if (credentials && owner !== caller.owner)
      throw new Failure('FORBIDDEN', 'Only its owner gives a repository credentials.', {
        suggestion: 'Ask the owner, or leave credentials out.',
      });
    await this.entries.requireCredentials(credentials, caller);
    const changed = await this.changes.apply(uid, {
      ...(visibility && { visibility }),
      ...(credentials && { credentials }),
    });
    if (!changed) throw new Failure('REPO_NOT_FOUND', `The repository "${id}" was unloaded meanwhile.`);
    this.changes.tell(changed, 'state'); // those who may see it from now on have not heard of it yet
    return this.view(changed);
  }

  async clone(options: OperationOptions['clone'], context: SubmitContext): Promise<OperationTicket> {
    await this.use.requireWithinPlan(context.principal);
    await this.use.requireDiskFor(context.principal);
    return this.operations.clone(options, context);
  }

  async submit<K extends RepositoryOperation>(
    operation: K,
    id: string,
    options: OperationOptions[K],
    context: SubmitContext,
  ): Promise<OperationTicket> {
    const entry = await this.find(operation, id, context.principal);
    if (operation === 'run') checkEnvironment(options as OperationOptions['run']);
    if (NEW_WORK.has(operation)) await this.use.requireWithinPlan(context.principal);
    if (operation === 'install' || operation === 'update') await this.use.requireDiskFor(context.principal);
    return this.operations.submit(operation, entry, options, context);
  }

  private find(operation: RepositoryOperation, id: string, caller: Principal): Promise<RepositoryEntry> {
    if (operation === 'status') return this.access.toRead(id, caller);
    return operation === 'unload' ? this.access.toRemove(id, caller) : this.access.toChange(id, caller);
  }

  private view(entry: RepositoryEntry): Repository {
    return repositoryView(entry, this.live.active(entry.uid));
  }
}

function checkEnvironment({ env, port }: OperationOptions['run']): void {
  if (env) checkRunEnv(env, port);
}
