import { resolve } from 'node:path';
import { isLoopback } from './public-url.js';
import {
  address,
  bool,
  choice,
  days,
  file,
  hostPorts,
  int,
  minutes,
  origins,
  path,
  portRange,
  readVariables,
  text,
  type Variables,
  webUrl,
} from './variables.js';

const ONE_WORD = { pattern: /^[!-~]{1,512}$/, expects: '1 to 512 ASCII characters without spaces' };

/**
 * Every setting of the station, where it comes from and what it means: the one place. Read from the environment at
 * start, validated as a whole (an error names the variable and what it expects, never its value), then frozen.
 */
const VARIABLES = {
  /** TCP port of the server. */
  PORT: int({ default: 6969, min: 0, max: 65535 }),
  /** Address that the server listens on. Anything but loopback needs a sandbox, or ALLOW_UNSANDBOXED. */
  HOST: address({ default: '127.0.0.1' }),
  /** Folder of the repositories' workspaces. Made when missing. */
  WORKSPACE_DIR: path({ default: './repo-workspace' }),
  /** Folder of database, logs, toolchains and keys. Made when missing. */
  DATA_DIR: path({ default: './data' }),
  /** How many clones, installs, updates and starts run at the same time. */
  MAX_WORKERS: int({ default: 3, min: 1, max: 64 }),
  /** Milliseconds that one operation may take, counted from its start. */
  WORKER_TIMEOUT: int({ default: 300_000, min: 100, max: 86_400_000 }),
  /** MiB of JavaScript heap of one thread. Bounds the thread only, not the programs that it starts. */
  WORKER_MEMORY_MB: int({ default: 256, min: 32, max: 65_536 }),
  /** How many operations may wait; the next one is refused with 429. */
  MAX_QUEUE: int({ default: 100, min: 1, max: 100_000 }),
  /** Milliseconds between SIGTERM and SIGKILL when an app is stopped. */
  STOP_GRACE_MS: int({ default: 5_000, min: 0, max: 60_000 }),
  /** How often in a row an app that has died is started again before it counts as a crash loop; 0 is never. */
  APP_MAX_RESTARTS: int({ default: 5, min: 0, max: 1_000 }),
  /** Milliseconds before the first of these restarts; each further one waits twice as long, at most a minute. */
  APP_RESTART_DELAY_MS: int({ default: 1_000, min: 0, max: 60_000 }),
  /** Address that apps are published on. */
  APP_HOST: address({ default: '127.0.0.1' }),
  /** Ports for apps whose caller names none, first-last. */
  APP_PORT_RANGE: portRange({ default: '20000-20999' }),
  /** What confines a repository's code: `auto` is bubblewrap where it works; `bubblewrap` never falls back. */
  SANDBOX: choice(['auto', 'bubblewrap', 'none'], { default: 'auto' }),
  /** Whose network apps and installs have: `auto` is one of their own where it works; `private` never falls back. */
  NETWORK: choice(['auto', 'private', 'shared'], { default: 'auto' }),
  /** User and group id of sandboxes when the server runs as root. No account is needed. */
  SANDBOX_UID: int({ default: 70_069, min: 1, max: 4_294_967_294 }),
  /** Permits HOST other than loopback without a sandbox: every repository then runs as the server's user. */
  ALLOW_UNSANDBOXED: bool({ default: false }),
  /** Permits administrators to clone with `isolated: false`: that repository then runs as the server's user. */
  ALLOW_UNISOLATED: bool({ default: false }),
  /** MiB of memory of one repository's install or app, all of its processes together. */
  APP_MEMORY_MB: int({ default: 4_096, min: 64, max: 1_048_576 }),
  /** How many processes and threads an install or an app may have. */
  APP_MAX_PROCESSES: int({ default: 1_024, min: 32, max: 100_000 }),
  /** MiB of disk of one repository: workspace, caches and temporary files. */
  REPO_DISK_MB: int({ default: 10_240, min: 16, max: 10_485_760 }),
  /** MiB at which a log file is rotated, and how many such files the logs of one repository may take in all. */
  LOG_MAX_MB: int({ default: 10, min: 1, max: 1_024 }),
  LOG_FILES: int({ default: 3, min: 1, max: 100 }),
  /** `host:port` entries, comma separated: Git hosts that may have private addresses, and may be reached by http. */
  GIT_ALLOWED_HOSTS: hostPorts({ default: '' }),
  /** known_hosts file for ssh clones; without it every ssh host is refused as unknown. */
  GIT_KNOWN_HOSTS: file({ optional: true }),
  /** The administrator's key. Without it one is made at first start and shown once. At least 16 characters. */
  ADMIN_API_KEY: text({
    optional: true,
    pattern: /^[!-~]{16,512}$/,
    expects: '16 to 512 ASCII characters without spaces',
  }),
  /** Address under which clients reach the server, for links. Default: made of HOST and PORT. */
  PUBLIC_URL: webUrl({ optional: true }),
  /** 64 hex digits: encrypts stored credentials and run environments. Without it a key is made in DATA_DIR. */
  SECRETS_KEY: text({ optional: true, pattern: /^[0-9a-f]{64}$/i, expects: '64 hexadecimal digits' }),
  /** Requests and messages a minute of one key, or of one address that shows no valid key; 0 is no limit. */
  RATE_LIMIT: int({ default: 1_200, min: 0, max: 1_000_000 }),
  /** How many proxies stand in front of the server: the address of a caller is the one that the outermost has seen. */
  TRUST_PROXY: int({ default: 0, min: 0, max: 16 }),
  /** JSON file with the plans that owners may be granted, read again on SIGHUP. Default: three plans, see docs/plans.md. */
  PLANS_FILE: file({ optional: true }),
  /** Client of the campaign's creator at Patreon, with whose patrons sign in: id and secret, and the id of the campaign. */
  PATREON_CLIENT_ID: text({ optional: true, ...ONE_WORD }),
  PATREON_CLIENT_SECRET: text({ optional: true, ...ONE_WORD }),
  PATREON_CAMPAIGN_ID: text({ optional: true, pattern: /^\d{1,20}$/, expects: 'the digits of a campaign id' }),
  /** Secret of the webhook that tells of changes. Without it no webhook is taken. */
  PATREON_WEBHOOK_SECRET: text({ optional: true, ...ONE_WORD }),
  /** Tokens of the campaign's creator, with which all members are looked through at start and daily. */
  PATREON_CREATOR_ACCESS_TOKEN: text({ optional: true, ...ONE_WORD }),
  PATREON_CREATOR_REFRESH_TOKEN: text({ optional: true, ...ONE_WORD }),
  /** Days between the notice that a payment has failed or a plan allows less, and what follows from it. */
  PATREON_GRACE_DAYS: days({ default: 7, max: 365 }),
  /** Days for which the repositories of somebody whose plan has lapsed are kept. */
  RETENTION_DAYS: days({ default: 30, max: 3_650 }),
  /** Whether memberships count that are a gift … */
  PATREON_GIFTED: bool({ default: true }),
  /** … or a free trial. */
  PATREON_TRIAL: bool({ default: false }),
  /** Minutes for which what Patreon has said of somebody is not asked again. */
  PATREON_CHECK_MINUTES: minutes({ default: 15, max: 1_440 }),
  /** Stands for Patreon in authorize page, tokens and API alike. */
  PATREON_API_URL: webUrl({ default: 'https://www.patreon.com' }),
  /** Origins, comma separated, whose pages may call the API from a browser. `*` is any. */
  CORS_ORIGINS: origins({ default: '' }),
  /** `pretty` for people, `json` for log collectors. */
  LOG_FORMAT: choice(['pretty', 'json'], { default: 'pretty' }),
} as const;

export type StationVariables = Variables<typeof VARIABLES>;

/** Throws one Error that lists every variable that is wrong. */
export function readStationVariables(env: NodeJS.ProcessEnv): StationVariables {
  const { values, errors } = readVariables(VARIABLES, env);
  if (env.DATABASE_URL) errors.push('DATABASE_URL: expected to be unset; only the embedded database exists so far');
  if (values) errors.push(...conflicts(values));
  if (values && errors.length === 0) return values;
  throw new Error(`The configuration is not valid:\n  ${errors.join('\n  ')}`);
}

function conflicts(values: StationVariables): string[] {
  const errors: string[] = [];
  if (values.WORKSPACE_DIR && values.DATA_DIR) {
    const workspace = `${resolve(values.WORKSPACE_DIR)}/`;
    const data = `${resolve(values.DATA_DIR)}/`;
    if (workspace.startsWith(data) || data.startsWith(workspace)) {
      errors.push('WORKSPACE_DIR, DATA_DIR: expected two folders of which neither holds the other');
    }
  }
  const client = [values.PATREON_CLIENT_ID, values.PATREON_CLIENT_SECRET, values.PATREON_CAMPAIGN_ID];
  const given = client.filter(Boolean).length;
  if (given > 0 && given < client.length) {
    errors.push('PATREON_CLIENT_ID, PATREON_CLIENT_SECRET, PATREON_CAMPAIGN_ID: expected all three of them, or none');
  }
  for (const name of ['PATREON_WEBHOOK_SECRET', 'PATREON_CREATOR_ACCESS_TOKEN'] as const) {
    if (values[name] && given === 0) errors.push(`${name}: expected with PATREON_CLIENT_ID`);
  }
  if (values.PATREON_CREATOR_REFRESH_TOKEN && !values.PATREON_CREATOR_ACCESS_TOKEN) {
    errors.push('PATREON_CREATOR_ACCESS_TOKEN: expected with PATREON_CREATOR_REFRESH_TOKEN');
  }
  if (values.SANDBOX === 'none' && !isLoopback(values.HOST) && !values.ALLOW_UNSANDBOXED) {
    errors.push('SANDBOX: expected auto or bubblewrap where HOST is not loopback; none needs ALLOW_UNSANDBOXED=true');
  }
  return errors;
}
