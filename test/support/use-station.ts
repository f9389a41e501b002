import { GitServer } from './git-server.js';
import { Station, type StationOptions } from './station.js';

export interface Kit {
  readonly git: GitServer;
  readonly station: Station;
}

/** A Git server and a station that may clone from it, for all tests of the enclosing `describe`. */
export function useStation(options: StationOptions = {}): Kit {
  const kit: { git?: GitServer; station?: Station } = {};
  beforeAll(async () => {
    kit.git = await GitServer.start();
    kit.station = await Station.start({ allowedHosts: [kit.git.host], ...options });
  });
  afterAll(async () => {
    await kit.station?.close();
    await kit.git?.close();
  });
  return kit as Kit; // complete before the first test
}
