import { swc } from './swc.config.mjs';

/** Unit specs stand beside their file; test/ drives the built server (`npm test` builds it first). */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts', '**/*.e2e.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swc, module: { type: 'es6' } }] },
  cacheDirectory: 'node_modules/.cache/jest',
  globalSetup: './test/support/global-setup.mjs',
  globalTeardown: './test/support/global-teardown.mjs',
  testSequencer: './test/support/sequencer.cjs',
  testTimeout: 60_000,
  maxWorkers: 4, // for two cores: a good part of the time a test waits for a process
};
