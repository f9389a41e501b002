import type { App } from '../../../contracts/shapes.js';
import { exitFailure } from './exit-failure.js';

const app: App = {
  pid: null,
  script: 'start',
  command: 'node .',
  port: null,
  appPort: null,
  url: null,
  ready: false,
  startedAt: 0,
  restarts: 0,
  exitCode: 1,
  signal: null,
};
const failure = (lines: string[], scripts: Record<string, string> = { start: 'node .', build: 'tsc' }) =>
  exitFailure(app, scripts, lines);
const CRASH = [
  '/app/index.js:3',
  "throw new Error('DATABASE_HOST is not set');",
  '^',
  '',
  'Error: DATABASE_HOST is not set',
  '    at Object.<anonymous> (/app/index.js:3:7)',
  '',
  'Node.js v20.19.0',
];

describe('the failure of an app that exited before it was ready', () => {
  it('gives the reason first', () => {
    expect(failure(CRASH).message).toBe(
      'The app exited with code 1 before it was ready: Error: DATABASE_HOST is not set',
    );
    expect(failure(['missing argument', '']).message).toMatch(/: missing argument$/);
    expect(failure([]).message).toBe('The app exited with code 1 before it was ready');
  });

  it('hands the last lines on', () => {
    expect(failure(CRASH).context).toMatchObject({ lastLines: CRASH, exitCode: 1, script: 'start' });
    expect(failure(Array.from({ length: 100 }, String)).context?.lastLines).toHaveLength(30);
  });

  it.each([
    "Error: Cannot find module '/app/dist/main.js'",
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/build/index.js' imported from /app/start.js",
    "Error: ENOENT: no such file or directory, open '/app/dist/index.html'",
    "Error: Could not find a production build in the '.next' directory.",
    'The directory "dist" does not exist. Did you build your project?',
  ])('names the build where nothing was built: %s', (line) => {
    expect(failure([line]).suggestion).toContain('{"script": "build", "background": false}');
    expect(failure([line]).suggestion).toContain('exitCode');
    expect(failure([line], { start: 'node .' }).suggestion).not.toContain('"build"');
  });

  it.each([
    ["Error: Cannot find module 'express'", 'install'],
    ['sh: 1: vite: not found', 'install'],
    ["Error: Cannot find module '/app/node_modules/a/dist/a.js'", 'last lines'],
    ['Error: listen EADDRINUSE: address already in use :::3000', 'PORT'],
    ['Error: whatever', 'last lines'],
  ])('says what to do about "%s"', (line, advice) => {
    expect(failure([line]).suggestion).toContain(advice);
  });
});
