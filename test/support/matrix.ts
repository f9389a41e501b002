/**
 * `npm test` tries everything once, as whoever runs it and with the sandbox. `npm run test:matrix` tries the same again in
 * the other ways that there are: on a server of another user, without a sandbox, each app through the other door, by the
 * other signal.
 */
export const IS_MATRIX = process.env.TEST_MATRIX === 'true';

/** The first ways of doing something; the matrix goes all of them. */
export const sample = <T>(ways: readonly T[], count = 1): readonly T[] => (IS_MATRIX ? ways : ways.slice(0, count));

/** For what takes long, and fails only where something else does that is tried each time. */
export const itInMatrix = IS_MATRIX ? it : it.skip;
