import { LessThan, type DataSource, type Repository as Table } from 'typeorm';
import { Failure } from '../../contracts/failure.js';
import { AuditStore, type AuditQuery, type AuditRecord } from '../audit-store.js';
import { whileWriting } from './database.js';
import { AuditTable } from './tables.js';

export class SqlAuditStore extends AuditStore {
  private readonly table: Table<AuditRecord>;

  constructor(database: DataSource) {
    super();
    this.table = database.getRepository(AuditTable);
  }

  async insert(record: AuditRecord): Promise<void> {
    await whileWriting(this.table.insert(record));
  }

  async conclude(operationId: string, outcome: AuditRecord['outcome'], code: AuditRecord['code']): Promise<void> {
    await whileWriting(this.table.update({ operationId }, { outcome, code }));
  }

  async list(wanted: AuditQuery): Promise<{ records: AuditRecord[]; nextCursor: string | null }> {
    const { owner, action, repository, target, outcome, since, until, limit, cursor } = wanted;
    const query = this.table.createQueryBuilder('a').orderBy('a.time', 'DESC').addOrderBy('a.auditId', 'DESC');
    if (owner !== undefined) query.andWhere('a.owner = :owner', { owner });
    if (action !== undefined) query.andWhere('a.action = :action', { action });
    if (target !== undefined) query.andWhere('a.target = :target', { target });
    if (outcome !== undefined) query.andWhere('a.outcome = :outcome', { outcome });
    if (repository !== undefined) query.andWhere('(a.repoId = :repository OR a.uid = :repository)', { repository });
    if (since !== undefined) query.andWhere('a.time >= :since', { since });
    if (until !== undefined) query.andWhere('a.time <= :until', { until });
    if (cursor !== undefined) {
      const { time, auditId } = parseCursor(cursor);
      query.andWhere('(a.time < :time OR (a.time = :time AND a.auditId < :auditId))', { time, auditId });
    }
    const rows = await query.take(limit + 1).getMany();
    const records = rows.slice(0, limit);
    const last = records.at(-1);
    return { records, nextCursor: rows.length > limit && last ? `${last.time}.${last.auditId}` : null };
  }

  async prune(before: number): Promise<void> {
    await this.table.delete({ time: LessThan(before) });
  }
}

function parseCursor(cursor: string): { time: number; auditId: string } {
  const [, time = '', auditId = ''] = /^(\d{1,15})\.(au_\w+)$/.exec(cursor) ?? [];
  if (auditId === '') throw new Failure('BAD_REQUEST', 'cursor: expected the nextCursor of an earlier page');
  return { time: Number(time), auditId };
}
