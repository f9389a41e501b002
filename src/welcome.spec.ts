import { readConfig } from './config/config.js';
import { welcome } from './welcome.js';

const KEY = 'dock_made-just-now';

describe('The greeting of a station that has made its administrator’s key', () => {
  const isolation = {
    plan: {
      isolation: { driver: 'none', reason: 'of a test' },
      network: { mode: 'shared' },
      limits: { memoryMb: 1, processes: 1, diskMb: 1, enforcedBy: 'nothing' },
    },
    refusal: () => undefined,
  } as unknown as Parameters<typeof welcome>[3];
  const greeting = (logFormat: string) =>
    welcome(readConfig({ LOG_FORMAT: logFormat, DATA_DIR: '/data' }), 'http://127.0.0.1:6969', KEY, isolation);

  it('shows it on a terminal, also in the first command', () => {
    expect(greeting('pretty').split(KEY)).toHaveLength(3);
    expect(greeting('pretty')).toContain('/data/admin-api-key');
  });

  it('only says where it is to a collector of logs', () => {
    expect(greeting('json')).not.toContain(KEY);
    expect(greeting('json')).toContain('/data/admin-api-key');
  });
});
