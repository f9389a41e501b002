import type { StationConfig } from './config/config.js';
import { isLoopback } from './config/config.js';
import { ISOLATION } from './operations/station-isolation.js';

const EXAMPLE_REPOSITORY = 'https://github.com/heroku/node-js-getting-started.git';

/** What a person sees who has just started the station: where it is, the key (once), and a first command to paste. */
export function welcome(config: StationConfig, url: string, newAdminKey: string | undefined): string {
  const address = config.publicUrl ?? url.replace('[::1]', 'localhost');
  const key = newAdminKey ?? '<api_key>';
  const lines = [
    '',
    `Docking Station listens on ${address}`,
    `API documentation: ${address}/docs`,
    `Isolation: ${ISOLATION.isolation.driver} (${ISOLATION.isolation.reason}). Run only repositories that you trust.`,
  ];
  if (!isLoopback(config.host)) lines.push('Warning: the station is reachable from outside and runs code unconfined.');
  if (newAdminKey) {
    lines.push(
      '',
      `Administrator's key, shown this once and kept in ${config.dataDir}/admin-api-key:`,
      `  ${newAdminKey}`,
    );
  }
  lines.push(
    '',
    'Dock a first repository:',
    `  curl -X POST ${address}/repo/clone \\`,
    `    -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\`,
    `    -d '{"repoUrl": "${EXAMPLE_REPOSITORY}"}'`,
    '',
  );
  return lines.join('\n');
}
