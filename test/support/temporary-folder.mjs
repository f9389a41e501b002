import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Plain JavaScript, as jest's global set-up and tear-down need it and load no TypeScript modules.

/** Begins the name of every temporary folder of one test run, so that the run can tell what it has left behind. */
const RUN_VARIABLE = 'DOCKING_STATION_TEST_RUN';

export const beginRun = () => (process.env[RUN_VARIABLE] = `docking-station-test-${randomBytes(4).toString('hex')}`);

/** The prefix of this run; one of its own for a program that is not part of a run. */
export const runPrefix = () => process.env[RUN_VARIABLE] ?? beginRun();

/** Where all stations and specs of a run keep their toolchains, so that each is fetched from the registry once. */
export const sharedToolchains = () => join(tmpdir(), `${runPrefix()}-toolchains`);

/** @param {string} name */
export const temporaryFolder = (name) => mkdtemp(join(tmpdir(), `${runPrefix()}-${name}-`));
