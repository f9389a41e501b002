import { resolve } from 'node:path';
import { prepareFolders } from './prepare-folders.js';
import { readStationVariables, type StationVariables } from './station-variables.js';

export interface PatreonConfig {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly campaignId: string;
  readonly webhookSecret?: string;
  readonly creator?: { readonly accessToken: string; readonly refreshToken?: string };
  readonly graceMs: number;
  readonly retentionMs: number;
  readonly countsGifted: boolean;
  readonly countsTrial: boolean;
  readonly checkEveryMs: number;
  /** Without a slash at its end. */
  readonly apiUrl: string;
}

export interface StationConfig {
  readonly port: number;
  readonly host: string;
  readonly workspaceDir: string;
  readonly dataDir: string;
  readonly maxWorkers: number;
  readonly workerTimeoutMs: number;
  readonly workerMemoryMb: number;
  readonly maxQueue: number;
  readonly stopGraceMs: number;
  readonly appMaxRestarts: number;
  readonly appRestartDelayMs: number;
  readonly appHost: string;
  readonly appPorts: { readonly first: number; readonly last: number };
  readonly sandbox: 'auto' | 'bubblewrap' | 'none';
  readonly network: 'auto' | 'private' | 'shared';
  readonly sandboxUid: number;
  readonly allowUnsandboxed: boolean;
  readonly allowUnisolated: boolean;
  readonly appMemoryMb: number;
  readonly appMaxProcesses: number;
  readonly repoDiskMb: number;
  readonly logMaxBytes: number;
  readonly logFiles: number;
  readonly gitAllowedHosts: readonly string[];
  readonly gitKnownHosts?: string;
  readonly adminApiKey?: string;
  readonly publicUrl?: string;
  readonly secretsKey?: string;
  readonly rateLimit: number;
  readonly trustProxy: number;
  readonly plansFile?: string;
  /** undefined: nobody signs in with Patreon. */
  readonly patreon?: PatreonConfig;
  readonly corsOrigins: readonly string[];
  readonly logFormat: 'pretty' | 'json';
}

/** Injection token of the frozen configuration. */
export const STATION_CONFIG = Symbol('STATION_CONFIG');

/** Throws one Error that lists every variable that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv): StationConfig {
  const values = readStationVariables(env);
  return Object.freeze({
    port: values.PORT,
    host: values.HOST,
    workspaceDir: resolve(values.WORKSPACE_DIR),
    dataDir: resolve(values.DATA_DIR),
    maxWorkers: values.MAX_WORKERS,
    workerTimeoutMs: values.WORKER_TIMEOUT,
    workerMemoryMb: values.WORKER_MEMORY_MB,
    maxQueue: values.MAX_QUEUE,
    stopGraceMs: values.STOP_GRACE_MS,
    appMaxRestarts: values.APP_MAX_RESTARTS,
    appRestartDelayMs: values.APP_RESTART_DELAY_MS,
    appHost: values.APP_HOST,
    appPorts: values.APP_PORT_RANGE,
    sandbox: values.SANDBOX,
    network: values.NETWORK,
    sandboxUid: values.SANDBOX_UID,
    allowUnsandboxed: values.ALLOW_UNSANDBOXED,
    allowUnisolated: values.ALLOW_UNISOLATED,
    appMemoryMb: values.APP_MEMORY_MB,
    appMaxProcesses: values.APP_MAX_PROCESSES,
    repoDiskMb: values.REPO_DISK_MB,
    logMaxBytes: values.LOG_MAX_MB * 1024 * 1024,
    logFiles: values.LOG_FILES,
    gitAllowedHosts: values.GIT_ALLOWED_HOSTS,
    gitKnownHosts: values.GIT_KNOWN_HOSTS && resolve(values.GIT_KNOWN_HOSTS),
    adminApiKey: values.ADMIN_API_KEY,
    publicUrl: values.PUBLIC_URL,
    secretsKey: values.SECRETS_KEY,
    rateLimit: values.RATE_LIMIT,
    trustProxy: values.TRUST_PROXY,
    plansFile: values.PLANS_FILE && resolve(values.PLANS_FILE),
    patreon: patreonOf(values),
    corsOrigins: values.CORS_ORIGINS,
    logFormat: values.LOG_FORMAT,
  });
}

/** What an application that embeds the station may give in place of the environment; `workerTimeout` in milliseconds. */
export type StationOptions = Partial<StationConfig> & { workerTimeout?: number };

export function configWith({ workerTimeout, ...options }: StationOptions, env: NodeJS.ProcessEnv): StationConfig {
  const timeout = workerTimeout === undefined ? {} : { workerTimeoutMs: workerTimeout };
  const config = Object.freeze({ ...readConfig(env), ...options, ...timeout });
  prepareFolders(config);
  return config;
}

function patreonOf(values: StationVariables): PatreonConfig | undefined {
  const { PATREON_CLIENT_ID: clientId, PATREON_CLIENT_SECRET: clientSecret, PATREON_CAMPAIGN_ID: campaignId } = values;
  const { PATREON_CREATOR_ACCESS_TOKEN: accessToken, PATREON_CREATOR_REFRESH_TOKEN: refreshToken } = values;
  if (!clientId || !clientSecret || !campaignId) return undefined;
  return Object.freeze({
    clientId,
    clientSecret,
    campaignId,
    webhookSecret: values.PATREON_WEBHOOK_SECRET,
    ...(accessToken && { creator: { accessToken, refreshToken } }),
    graceMs: values.PATREON_GRACE_DAYS,
    retentionMs: values.RETENTION_DAYS,
    countsGifted: values.PATREON_GIFTED,
    countsTrial: values.PATREON_TRIAL,
    checkEveryMs: values.PATREON_CHECK_MINUTES,
    apiUrl: values.PATREON_API_URL,
  });
}
