import { PERMISSIONS, type Permission } from '../contracts/permissions.js';
import type { GrantedPlan } from './plans/plan.js';

/** Who is asking: the owner behind a key, and what that key permits. */
export interface Principal {
  keyId: string;
  /** SHA-256 of the key: another one may come to have its id. */
  keyDigest: string;
  owner: string;
  admin: boolean;
  permissions: readonly Permission[];
  /** What bounds the owner; null: nothing does. */
  plan: GrantedPlan | null;
}

/** Whom the station acts for when it acts on its own accord: apps that come back after a restart. */
export const STATION_OWNER = 'station';

export const STATION: Principal = {
  keyId: STATION_OWNER,
  keyDigest: '',
  owner: STATION_OWNER,
  admin: true,
  permissions: PERMISSIONS,
  plan: null,
};
