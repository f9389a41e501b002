import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearStaging, makeScratchFolder } from './scratch-folder.js';

describe('what operations have in a staging folder', () => {
  let root: string;
  const owner = (operationId: string) => ({
    operationId,
    paths: { workspace: join(root, 'workspace'), home: join(root, 'home'), staging: join(root, 'staging') },
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'scratch-'));
    mkdirSync(join(root, 'workspace'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is removed at the end of each, which leaves what others have', async () => {
    writeFileSync(join(makeScratchFolder(owner('op_1'), 'access'), 'credentials'), 'S3CR3T');
    const other = makeScratchFolder(owner('op_2'), 'access');
    await clearStaging(owner('op_1'));
    expect(readdirSync(join(root, 'staging')).map((name) => join(root, 'staging', name))).toEqual([other]);
  });

  it('is the last of a repository that has gone', async () => {
    makeScratchFolder(owner('op_1'), 'view');
    const other = makeScratchFolder(owner('op_2'), 'view');
    rmSync(join(root, 'workspace'), { recursive: true });
    await clearStaging(owner('op_1'));
    expect(existsSync(other)).toBe(true);
    await clearStaging(owner('op_2'));
    expect(existsSync(join(root, 'staging'))).toBe(false);
  });
});
