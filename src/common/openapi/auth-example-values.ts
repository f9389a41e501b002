import type { CredentialDto } from '../../auth/dto/credential.dto.js';
import type { OwnerNoticeDto } from '../../auth/dto/owner-notice.dto.js';
import type { PatronDto } from '../../owners/dto/owner.dto.js';
import { UNBOUNDED } from '../../auth/plans/plan.js';
import type { Plain } from './problem-examples.js';

/** As example-values.ts, of keys, plans, patrons, credentials and the audit log. */

const TIME = 1_767_225_600_000;

const key = {
  id: '0b7f3c1e-5a3d-4a53-9c4e-0d5a3f1b2c7d',
  prefix: 'dock_Q2x8a',
  name: 'laptop',
  owner: 'alice',
  admin: false,
  scopes: ['read', 'run', 'stop'],
  createdAt: TIME,
  expiresAt: 1_893_456_000_000,
  lastUsedAt: TIME + 60_000,
};

const use = { repositories: 3, runningApps: 1, operationsAtOnce: 0, queuedOperations: 0, diskMb: 412 };

const audited = {
  auditId: 'au_5c1f0e6b7a8d9243',
  time: 1_764_000_000_000,
  owner: 'alice',
  door: 'rest',
  address: '203.0.113.7',
  keyId: '2f0d3c3e-6a55-4c8e-9c0e-5c5b7a1d9e42',
  action: 'clone',
  repoId: 'octocat-hello-world',
  uid: 'r_3f9c2ab81d4e6f70',
  operationId: 'op_e4af878c9b621e3816b3',
  target: null,
  detail: null,
  outcome: 'failed',
  code: 'GIT_AUTH_REQUIRED',
};

const supporter = {
  id: 'supporter',
  name: 'Supporter',
  permissions: ['read', 'clone', 'install', 'run', 'stop', 'unload'],
  quotas: {
    repositories: 3,
    runningApps: 1,
    operationsAtOnce: 1,
    queuedOperations: 10,
    memoryPerAppMb: 1024,
    diskPerRepositoryMb: 2048,
    diskMb: 4096,
    requestsPerMinute: 120,
    keys: 3,
  },
  tiers: ['10203040'],
};

const notice: Plain<OwnerNoticeDto> = {
  time: TIME,
  owner: 'patreon:12345678',
  plan: 'supporter',
  code: 'PLAN_LAPSED',
  message:
    'The plan has lapsed: the membership has ended. Apps that run are stopped on 2026-01-08, and repositories are kept until 2026-01-31.',
  appsStopAt: 1_767_830_400_000,
  unloadAt: 1_769_817_600_000,
};
const patron: Plain<PatronDto> = {
  name: 'Ada',
  patronStatus: 'active_patron',
  tierIds: ['10203040'],
  lastChargeStatus: 'Paid',
  nextChargeAt: 1_769_904_000_000,
  confirmedAt: TIME,
  phase: 'active',
  isUnmapped: false,
};
const credential: Plain<CredentialDto> = {
  credentialId: 'cred_5c1f0e6b7a8d9243',
  name: 'GitHub',
  kind: 'https',
  createdAt: TIME,
};

export const AUTH_EXAMPLES: Record<string, [unknown, ...unknown[]]> = {
  KeyDto: [key, { ...key, key: 'dock_Q2x8a9Zr0kYwC1mB7tJ5pLhV3nXe6sGuDfAqIoTyR4c' }],
  KeyListDto: [{ keys: [key] }],
  MeDto: [
    {
      owner: 'alice',
      admin: false,
      plan: null,
      permissions: ['read', 'clone', 'install', 'run', 'stop'],
      limits: UNBOUNDED,
      use,
    },
    { plan: 'supporter', notice, patron },
  ],
  AuditPageDto: [{ records: [audited], nextCursor: '1764000000000.au_5c1f0e6b7a8d9243' }],
  AuditRecordDto: [audited],
  PlanListDto: [{ plans: [supporter] }],
  PlanDto: [supporter],
  QuotasDto: [supporter.quotas],
  OwnerUseDto: [use],
  OwnerDto: [
    { owner: 'alice', plan: 'supporter', limits: supporter.quotas, use },
    { owner: notice.owner, patron },
  ],
  OwnerNoticeDto: [notice],
  PatronDto: [patron],
  SignedInDto: [
    { key: 'dock_Q2x8a9Zr0kYwC1mB7tJ5pLhV3nXe6sGuDfAqIoTyR4c', owner: notice.owner, plan: 'supporter' },
    { notice },
  ],
  CredentialDto: [credential],
  CredentialListDto: [{ credentials: [credential] }],
  StoreCredentialDto: [
    { name: 'GitHub', username: 'octocat', token: 'github_pat_…' },
    { privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\n…', passphrase: '…' },
  ],
  OwnerPageDto: [{ owners: [{ owner: 'alice', plan: 'supporter', limits: supporter.quotas, use }], nextCursor: null }],
  GrantPlanDto: [{ plan: 'supporter' }],
  CreateKeyDto: [
    { name: 'laptop', owner: 'alice', scopes: ['read', 'run', 'stop'], expiresAt: 1_893_456_000_000 },
    { admin: false },
  ],
};
