import type { IsolationReport, NetworkReport } from '../contracts/shapes.js';

/** What confines repositories on this station: nothing, and every report says so. */
export const ISOLATION: { isolation: IsolationReport; network: NetworkReport } = {
  isolation: { driver: 'none', reason: 'this version has no sandbox driver: code runs as the user of the server' },
  network: { mode: 'shared', reason: 'apps share the network of the host' },
};
