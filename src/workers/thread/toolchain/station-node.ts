import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programsOf, type Programs } from './programs.js';

/** The Node.js and the npm that the station itself runs on. */
export const STATION_NODE = { version: process.version.slice(1), path: process.execPath };

export interface StationNpm {
  version: string;
  engines: string;
  programs: Programs;
}

/** The npm installed beside the station's Node.js; none where a distribution leaves it out. */
export function stationNpm(): StationNpm | undefined {
  const prefix = dirname(process.execPath);
  for (const place of [join(prefix, 'npm'), join(prefix, '../lib/node_modules/npm/bin/npm-cli.js')]) {
    if (!existsSync(place)) continue;
    const folder = dirname(dirname(realpathSync(place)));
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const { name, version, engines } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name?: string;
      version: string;
      engines?: { node?: string };
    };
    if (name !== 'npm') continue;
    return {
      version,
      engines: engines?.node ?? '*',
      programs: programsOf('npm', folder, { package: 'npm', versions: '*' }),
    };
  }
  return undefined;
}

/** The folder whose `include/node` has the headers of this Node.js: native modules then compile without a download. */
export function nodeHeaders(nodePath: string): string | undefined {
  const prefix = dirname(dirname(nodePath));
  return existsSync(join(prefix, 'include/node/node_version.h')) ? prefix : undefined;
}
