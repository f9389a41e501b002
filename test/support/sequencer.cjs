const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes long begins first: of a run that was never timed jest knows only how large the files are. */
const FIRST = ['update-proof', 'lifecycle-', 'persistence', 'install.spec', 'run.e2e', 'supervision', 'concurrency'];

/** @param {{ path: string }} test */
function rank({ path }) {
  const found = FIRST.findIndex((name) => path.includes(name));
  return found >= 0 ? found : FIRST.length + Number(path.endsWith('.spec.ts'));
}

module.exports = class extends Sequencer {
  /**
   * @override
   * @param {Parameters<Sequencer['sort']>[0]} tests
   */
  async sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- not an array's
    const sorted = await super.sort(tests);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
};
