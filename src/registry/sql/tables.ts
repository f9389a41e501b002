import { EntitySchema } from 'typeorm';
import type { Operation } from '../../contracts/shapes.js';
import type { AuditRecord } from '../audit-store.js';
import type { IdempotencyRecord } from '../idempotency-store.js';
import type { StoredCredential } from '../credential-store.js';
import type { StoredKey } from '../key-store.js';

/**
 * The tables. What is searched or must be unique is a column; the rest of a record is one JSON document, so that a new
 * field of an entry needs no migration. Times are epoch milliseconds; every index has a name.
 */

export interface RepositoryRow {
  uid: string;
  owner: string;
  repoId: string;
  createdAt: number;
  homeNode: string;
  epoch: number;
  /** The RepositoryEntry as JSON, its secrets sealed. */
  entry: string;
}

export interface OperationRow {
  operationId: string;
  uid: string;
  owner: string;
  status: Operation['status'];
  queuedAt: number;
  finishedAt: number | null;
  /** The Operation as JSON. */
  operation: string;
}

export interface OwnerRow {
  owner: string;
  /** The OwnerRecord as JSON. */
  record: string;
}

export interface PatronRow {
  patreonId: string;
  /** The PatronRecord as JSON, without its tokens. */
  record: string;
  /** Sealed. */
  tokens: string | null;
}

export interface CreatorTokensRow {
  id: string;
  /** Sealed. */
  tokens: string;
}

/** `secret` is sealed. */
export type CredentialRow = Omit<StoredCredential, 'secret'> & { secret: string };

export type IdempotencyRow = Omit<IdempotencyRecord, 'answer'> & { answer: string | null };

export type KeyRow = Omit<StoredKey, 'scopes'> & { scopes: string };

/** SQLite and PostgreSQL both know these; PostgreSQL hands bigint out as text. */
const time = { type: 'bigint', transformer: { to: (value: unknown) => value, from: toNumber } } as const;

function toNumber(value: string | number | null): number | null {
  return value === null ? null : Number(value);
}

export const RepositoryTable = new EntitySchema<RepositoryRow>({
  name: 'Repository',
  tableName: 'repositories',
  columns: {
    uid: { type: 'varchar', primary: true },
    owner: { type: 'varchar' },
    repoId: { name: 'repo_id', type: 'varchar' },
    createdAt: { name: 'created_at', ...time },
    homeNode: { name: 'home_node', type: 'varchar' },
    epoch: { type: 'integer' },
    entry: { type: 'text' },
  },
});

export const OperationTable = new EntitySchema<OperationRow>({
  name: 'Operation',
  tableName: 'operations',
  columns: {
    operationId: { name: 'operation_id', type: 'varchar', primary: true },
    uid: { type: 'varchar' },
    owner: { type: 'varchar' },
    status: { type: 'varchar' },
    queuedAt: { name: 'queued_at', ...time },
    finishedAt: { name: 'finished_at', ...time, nullable: true },
    operation: { type: 'text' },
  },
});

export const KeyTable = new EntitySchema<KeyRow>({
  name: 'ApiKey',
  tableName: 'api_keys',
  columns: {
    id: { type: 'varchar', primary: true },
    name: { type: 'varchar' },
    owner: { type: 'varchar' },
    admin: { type: 'boolean' },
    scopes: { type: 'text' },
    prefix: { type: 'varchar' },
    digest: { type: 'varchar' },
    createdAt: { name: 'created_at', ...time },
    expiresAt: { name: 'expires_at', ...time, nullable: true },
    lastUsedAt: { name: 'last_used_at', ...time, nullable: true },
  },
});

export const IdempotencyTable = new EntitySchema<IdempotencyRow>({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  columns: {
    scope: { type: 'varchar', primary: true },
    bodyDigest: { name: 'body_digest', type: 'varchar' },
    operationId: { name: 'operation_id', type: 'varchar', nullable: true },
    answer: { type: 'text', nullable: true },
    createdAt: { name: 'created_at', ...time },
  },
});

export const OwnerTable = new EntitySchema<OwnerRow>({
  name: 'Owner',
  tableName: 'owners',
  columns: { owner: { type: 'varchar', primary: true }, record: { type: 'text' } },
});

export const PatronTable = new EntitySchema<PatronRow>({
  name: 'Patron',
  tableName: 'patrons',
  columns: {
    patreonId: { name: 'patreon_id', type: 'varchar', primary: true },
    record: { type: 'text' },
    tokens: { type: 'text', nullable: true },
  },
});

export const CreatorTokensTable = new EntitySchema<CreatorTokensRow>({
  name: 'CreatorTokens',
  tableName: 'creator_tokens',
  columns: { id: { type: 'varchar', primary: true }, tokens: { type: 'text' } },
});

export const CredentialTable = new EntitySchema<CredentialRow>({
  name: 'GitCredential',
  tableName: 'git_credentials',
  columns: {
    credentialId: { name: 'credential_id', type: 'varchar', primary: true },
    owner: { type: 'varchar' },
    name: { type: 'varchar' },
    createdAt: { name: 'created_at', ...time },
    secret: { type: 'text' },
  },
});

const nullable = { type: 'varchar', nullable: true } as const;

export const AuditTable = new EntitySchema<AuditRecord>({
  name: 'AuditRecord',
  tableName: 'audit_records',
  columns: {
    auditId: { name: 'audit_id', type: 'varchar', primary: true },
    time,
    owner: { type: 'varchar' },
    keyId: { name: 'key_id', type: 'varchar' },
    door: { type: 'varchar' },
    address: nullable,
    action: { type: 'varchar' },
    repoId: { name: 'repo_id', ...nullable },
    uid: nullable,
    operationId: { name: 'operation_id', ...nullable },
    target: nullable,
    detail: nullable,
    outcome: { type: 'varchar' },
    code: nullable,
  },
});

export const TABLES = [
  RepositoryTable,
  OperationTable,
  KeyTable,
  IdempotencyTable,
  OwnerTable,
  AuditTable,
  PatronTable,
  CreatorTokensTable,
  CredentialTable,
];
