/** What the station knows of an owner beside their keys and repositories. */
export interface OwnerRecord {
  owner: string;
  /** The plan that an administrator has granted. */
  grantedPlan: string | null;
  updatedAt: number;
}

/** Stored records of owners. A port: its token is this class. */
export abstract class OwnerStore {
  abstract list(): Promise<OwnerRecord[]>;
  abstract save(record: OwnerRecord): Promise<void>;
}
