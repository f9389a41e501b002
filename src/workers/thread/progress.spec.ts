import { setTimeout as after } from 'node:timers/promises';
import { Progress } from './progress.js';

describe('Progress', () => {
  const told: string[] = [];
  let progress: Progress;
  beforeEach(() => {
    told.length = 0;
    progress = new Progress((phase, percent) => void told.push(`${phase} ${percent}`));
  });
  afterEach(() => progress.end());

  it('tells of every phase at once when it is reached, and of the latest state a moment later', async () => {
    progress.tell('counting', 0, '');
    for (let percent = 1; percent <= 50; percent += 1) progress.tell('receiving', percent, '');
    expect(told).toEqual(['counting 0', 'receiving 1']);
    await after(400);
    expect(told).toEqual(['counting 0', 'receiving 1', 'receiving 50']);
  });

  it('is not to be flooded by phases that take turns', async () => {
    for (let turn = 0; turn < 10_000; turn += 1) progress.tell(turn % 2 ? 'counting' : 'receiving', turn, '');
    expect(told).toEqual(['receiving 0', 'counting 1']);
    await after(400);
    expect(told).toEqual(['receiving 0', 'counting 1', 'counting 9999']);
  });

  it('has no word after the end', async () => {
    progress.tell('receiving', 1, '');
    progress.tell('receiving', 2, '');
    progress.end();
    await after(400);
    expect(told).toEqual(['receiving 1']);
  });
});
