import { Brackets, In, type DataSource, type Repository as Table } from 'typeorm';
import { Failure } from '../../contracts/failure.js';
import type { Operation } from '../../contracts/shapes.js';
import { KEPT_PER_REPOSITORY, OperationHistory, type HistoryQuery } from '../operation-history.js';
import { whileWriting } from './database.js';
import { OperationTable, RepositoryTable, type OperationRow } from './tables.js';
import { Unwritten } from './unwritten.js';

export class SqlOperationHistory extends OperationHistory {
  private readonly table: Table<OperationRow>;
  private readonly unwritten = new Unwritten<Operation>((operation) => this.save(operation));

  constructor(private readonly database: DataSource) {
    super();
    this.table = database.getRepository(OperationTable);
  }

  async insert(operation: Operation): Promise<void> {
    await whileWriting(this.table.insert(toRow(operation)));
  }

  async save(operation: Operation): Promise<void> {
    await this.unwritten.orHold(operation.operationId, operation, async () => {
      await whileWriting(this.table.upsert(toRow(operation), ['operationId']));
    });
  }

  async find(operationId: string): Promise<Operation | undefined> {
    const row = await this.table.findOneBy({ operationId });
    return this.unwritten.get(operationId) ?? (row ? toOperation(row) : undefined);
  }

  async list({ uid, visibleTo, limit, cursor }: HistoryQuery): Promise<{
    operations: Operation[];
    nextCursor: string | null;
  }> {
    const query = this.table.createQueryBuilder('o').orderBy('o.queuedAt', 'DESC').addOrderBy('o.operationId', 'DESC');
    if (uid !== undefined) query.andWhere('o.uid = :uid', { uid });
    if (visibleTo) {
      query.andWhere(
        new Brackets((either) => {
          either.where('o.owner = :owner', { owner: visibleTo.owner });
          if (visibleTo.uids.length > 0) either.orWhere('o.uid IN (:...uids)', { uids: visibleTo.uids });
        }),
      );
    }
    if (cursor !== undefined) {
      const { queuedAt, operationId } = parseCursor(cursor);
      query.andWhere('(o.queuedAt < :queuedAt OR (o.queuedAt = :queuedAt AND o.operationId < :operationId))', {
        queuedAt,
        operationId,
      });
    }
    const rows = await query.take(limit + 1).getMany();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const nextCursor = rows.length > limit && last ? `${last.queuedAt}.${last.operationId}` : null;
    return { operations: page.map((row) => this.unwritten.get(row.operationId) ?? toOperation(row)), nextCursor };
  }

  async unfinished(): Promise<Operation[]> {
    return (await this.table.findBy({ status: In(['queued', 'running']) })).map(toOperation);
  }

  async prune(before: number): Promise<{ operationId: string; uid: string }[]> {
    const gone = await this.database.query<{ operation_id: string; uid: string }[]>(
      `SELECT operation_id, uid FROM (
         SELECT operation_id, uid, finished_at,
                ROW_NUMBER() OVER (PARTITION BY uid ORDER BY queued_at DESC, operation_id DESC) AS place
         FROM operations) AS numbered
       WHERE finished_at IS NOT NULL AND (place > ${KEPT_PER_REPOSITORY}
         OR (finished_at < ${Math.trunc(before)} AND uid NOT IN (SELECT uid FROM ${RepositoryTable.options.tableName})))`,
    );
    const ids = gone.map((row) => row.operation_id);
    for (let from = 0; from < ids.length; from += 500) await this.table.delete(ids.slice(from, from + 500));
    return gone.map((row) => ({ operationId: row.operation_id, uid: row.uid }));
  }
}

function toRow(operation: Operation): OperationRow {
  const { operationId, uid, owner, status, queuedAt, finishedAt = null } = operation;
  return { operationId, uid, owner, status, queuedAt, finishedAt, operation: JSON.stringify(operation) };
}

function toOperation(row: OperationRow): Operation {
  return JSON.parse(row.operation) as Operation;
}

function parseCursor(cursor: string): { queuedAt: number; operationId: string } {
  const match = /^(\d{1,15})\.(op_\w+)$/.exec(cursor);
  if (!match) throw new Failure('BAD_REQUEST', 'cursor: expected the nextCursor of an earlier page');
  return { queuedAt: Number(match[1]), operationId: match[2] ?? '' };
}
