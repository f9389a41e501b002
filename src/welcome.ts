import type { StationConfig } from './config/config.js';
import { isLoopback } from './config/public-url.js';
import type { StationIsolation } from './operations/station-isolation.js';

type Isolation = Pick<StationIsolation, 'plan' | 'refusal'>;

const EXAMPLE_REPOSITORY = 'https://github.com/heroku/node-js-getting-started.git';

/** Told to whoever has just started the station: where it is, the key (once), and a first command to paste. */
export function welcome(
  config: StationConfig,
  url: string,
  newAdminKey: string | undefined,
  station: Isolation,
): string {
  const address = config.publicUrl ?? url.replace('[::1]', 'localhost');
  const file = `${config.dataDir}/admin-api-key`;
  // A collector of logs would keep it for ever, and show it to everybody who reads them.
  const isShown = newAdminKey !== undefined && config.logFormat !== 'json';
  const key = isShown ? newAdminKey : '<api_key>';
  const lines = [
    '',
    `Docking Station listens on ${address}`,
    `API documentation: ${address}/docs`,
    ...isolationLines(config, station),
    ...patreonLines(config),
  ];
  if (isShown) lines.push('', `Administrator's key, shown this once and kept in ${file}:`, `  ${newAdminKey}`);
  else if (newAdminKey !== undefined) lines.push('', `Administrator's key: in ${file}`);
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

function patreonLines({ patreon, publicUrl, host }: StationConfig): string[] {
  if (!patreon || publicUrl !== undefined || isLoopback(host)) return [];
  return ['Warning: PUBLIC_URL is not set, so patrons who sign in are sent back to an address that is only a guess.'];
}

function isolationLines({ host }: StationConfig, station: Isolation): string[] {
  const { isolation, network } = station.plan;
  const refusal = station.refusal();
  const reason = network.reason ? ` (${network.reason})` : '';
  const isConfined = isolation.driver !== 'none';
  const lines = [
    isConfined
      ? `Isolation: ${isolation.driver}, network ${network.mode}${reason}`
      : `Isolation: none (${isolation.reason}).`,
  ];
  if (refusal) lines.push(`Warning: nothing is installed or run: ${refusal}. docs/isolation.md says what to do.`);
  else if (isConfined) return lines;
  else if (isLoopback(host)) lines.push('Warning: repositories run as your user. Run only those that you trust.');
  else lines.push('Warning: the station is reachable from outside and runs code unconfined.');
  return lines;
}
