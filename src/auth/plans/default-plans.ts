import { PERMISSIONS } from '../../contracts/permissions.js';
import type { Plan } from './plan.js';

const ALL_BUT_ADMIN = PERMISSIONS.filter((permission) => permission !== 'admin');

/** What a station has whose administrator has written no PLANS_FILE: from the cheapest on. */
export const DEFAULT_PLANS: readonly Plan[] = [
  {
    id: 'supporter',
    name: 'Supporter',
    permissions: ALL_BUT_ADMIN,
    tiers: [],
    quotas: {
      repositories: 3,
      runningApps: 1,
      operationsAtOnce: 1,
      queuedOperations: 10,
      memoryPerAppMb: 1_024,
      diskPerRepositoryMb: 2_048,
      diskMb: 4_096,
      requestsPerMinute: 120,
      keys: 3,
    },
  },
  {
    id: 'builder',
    name: 'Builder',
    permissions: ALL_BUT_ADMIN,
    tiers: [],
    quotas: {
      repositories: 10,
      runningApps: 3,
      operationsAtOnce: 2,
      queuedOperations: 25,
      memoryPerAppMb: 2_048,
      diskPerRepositoryMb: 5_120,
      diskMb: 20_480,
      requestsPerMinute: 300,
      keys: 10,
    },
  },
  {
    id: 'studio',
    name: 'Studio',
    permissions: ALL_BUT_ADMIN,
    tiers: [],
    quotas: {
      repositories: 50,
      runningApps: 10,
      operationsAtOnce: 3,
      queuedOperations: 50,
      memoryPerAppMb: 4_096,
      diskPerRepositoryMb: 10_240,
      diskMb: 102_400,
      requestsPerMinute: 600,
      keys: 30,
    },
  },
];
