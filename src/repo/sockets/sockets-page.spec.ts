import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { NOTICE_CODES } from '../../contracts/events.js';
import { OPERATION_NAMES } from '../../contracts/operation-names.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(resolve(ROOT, path), 'utf8');
const matches = (text: string, pattern: RegExp) => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
];

const sources = [
  'src/repo/repo.gateway.ts',
  ...readdirSync(import.meta.dirname).map((name) => `src/repo/sockets/${name}`),
].filter((path) => !path.endsWith('.spec.ts'));
const EVENTS = read('src/contracts/events.ts');
const MESSAGES = read('src/repo/sockets/messages.dto.ts');
const PAYLOADS = [EVENTS, MESSAGES, read('src/repo/sockets/station-socket.ts')].join('\n');
const FIELD = /^ {2}(\w+)[?!]?[?:].*;$/gm;

describe('docs/sockets.md', () => {
  const page = read('docs/sockets.md');
  const missing = (names: readonly string[]) => names.filter((name) => !page.includes(`\`${name}\``));

  it('names every message and every event', () => {
    const names = matches([EVENTS, ...sources.map(read)].join('\n'), /'((?:repo|owner)-[a-z-]+)'/g);
    expect(names).toEqual(expect.arrayContaining(['repo-operation', 'repo-log', 'owner-notice', 'repo-error']));
    expect(missing(names)).toEqual([]);
  });

  it('names every operation, and every field of a message, an answer and an event', () => {
    const fields = matches(PAYLOADS, FIELD);
    expect(fields).toEqual(expect.arrayContaining(['sinceSeq', 'requestId', 'dropped', 'unloadAt', 'previousState']));
    expect(missing([...OPERATION_NAMES, 'list', 'operation', 'cancel', ...fields])).toEqual([]);
  });

  it('names every type of event, and every code of a notice', () => {
    const [types = ''] = matches(EVENTS, /^ {2}type: (.*);$/gm);
    expect(missing([...matches(types, /'([a-z-]+)'/g), ...NOTICE_CODES])).toEqual([]);
  });
});
