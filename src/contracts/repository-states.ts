/** `cloning` only while the first clone runs; all other work in progress is `activeOperation`, not a state. */
export const REPOSITORY_STATES = ['cloning', 'cloned', 'ready', 'running', 'stopped', 'error'] as const;
export type RepositoryState = (typeof REPOSITORY_STATES)[number];

/** From which states each state may be reached. `null` is a repository that is just being entered. */
const REACHED_FROM: Record<RepositoryState, readonly (RepositoryState | null)[]> = {
  cloning: [null],
  cloned: ['cloning', 'cloned', 'ready', 'stopped', 'error'],
  ready: ['cloned', 'ready', 'stopped', 'error'],
  running: ['cloned', 'ready', 'stopped', 'error', 'running'],
  stopped: ['running', 'stopped', 'ready', 'cloned', 'error'],
  error: ['cloned', 'ready', 'running', 'stopped', 'error'],
};

export function mayBecome(from: RepositoryState | null, to: RepositoryState): boolean {
  return REACHED_FROM[to].includes(from);
}
