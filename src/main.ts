import { isatty } from 'node:tty';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { applyAppSetup } from './app.setup.js';
import { AdminKeyService } from './auth/admin-key.service.js';
import { readPlans } from './auth/plans/plans-file.js';
import { StationLogger } from './common/station-logger.js';
import { readConfig, type StationConfig } from './config/config.js';
import { prepareFolders } from './config/prepare-folders.js';
import { StationIsolation } from './operations/station-isolation.js';
import { welcome } from './welcome.js';

/** Kubernetes sends SIGKILL 30 s after SIGTERM by default; well before that everything has ended, or is ended here. */
const EXIT_WITHIN_MS = 19_000;

const logger = new Logger('Station');
let shuttingDown = false;

/** Settled once the server serves. */
export const started = start();

async function start(): Promise<void> {
  const config = configuration();
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), {
    bodyParser: false,
    forceCloseConnections: true, // idle keep-alive connections must not hold up the exit
    logger: new StationLogger({
      prefix: 'Docking Station',
      colors: isatty(1), // a file or a collector wants none
      json: config.logFormat === 'json',
      logLevels: ['log', 'warn', 'error', 'fatal'],
    }),
  });
  applyAppSetup(app);
  await app.init(); // puts in order what the last life of the server has left
  await listen(app, config);
  const newAdminKey = await app.get(AdminKeyService).ensure(); // shown once: not by a start that fails
  const greeting = welcome(config, await app.getUrl(), newAdminKey, app.get(StationIsolation));
  if (config.logFormat === 'json') logger.log(greeting);
  else console.log(greeting);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void shutDown(app, signal));
}

async function listen(app: INestApplication, { port, host }: StationConfig): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isTaken = code === 'EADDRINUSE';
    console.error(isTaken ? `PORT: ${port} of ${host} is in use; choose another one` : `HOST, PORT: ${message}`);
    await app.close();
    process.exit(1);
  }
}

async function shutDown(app: INestApplication, signal: NodeJS.Signals): Promise<void> {
  if (shuttingDown) return;
  shuttingDown = true;
  logger.log(`${signal}: no new operation is taken, apps are stopped`);
  setTimeout(() => process.exit(1), EXIT_WITHIN_MS).unref();
  try {
    await app.close();
    process.exit(0);
  } catch (error) {
    logger.error(error);
    process.exit(1);
  }
}

/** A wrong setting is told in one message, without a stack, before anything has started. */
function configuration(): StationConfig {
  try {
    const read = readConfig(process.env);
    if (read.plansFile !== undefined) {
      process.on('SIGHUP', () => undefined); // also before there is anything that could read the plans again
      readPlans(read.plansFile);
    }
    prepareFolders(read);
    return read;
  } catch (error) {
    console.error((error as Error).message);
    process.exit(78); // EX_CONFIG
  }
}
