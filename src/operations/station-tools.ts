import type { ToolchainAccess } from '../contracts/operations.js';

/** Where installs and apps get their tools from; read once at start. */
export class StationTools {
  constructor(readonly access: ToolchainAccess) {}
}
