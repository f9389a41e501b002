import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import type { Remote } from './remote.js';

const SHOWN = 20;

/** Why the wanted ref, or the default branch, cannot be had: the repository is empty, or has others, which it names. */
export async function missingRef(remote: Remote, wanted: string | undefined): Promise<Failure> {
  const { branches, tags } = await remote.refs();
  const { canonicalUrl } = remote;
  if (branches.size + tags.size === 0) {
    return new Failure('EMPTY_REPOSITORY', `The repository has no commits yet: ${canonicalUrl}`);
  }
  const existing = [...branches.keys()].slice(0, SHOWN).map((name) => shortened(name));
  const what = wanted === undefined ? 'The default branch of the host' : `The branch or tag ${wanted}`;
  return new Failure('GIT_BRANCH_NOT_FOUND', `${what} does not exist: ${canonicalUrl}`, {
    suggestion: `Choose one that exists, such as ${existing[0] ?? shortened([...tags.keys()][0] ?? '')}.`,
    context: {
      branch: wanted ?? null,
      branches: existing,
      tags: [...tags.keys()].slice(-SHOWN).map((name) => shortened(name)),
    },
  });
}
