/**
 * `npm test` tries everything once, as whoever runs it and with the sandbox. `npm run test:matrix` tries the same again in
 * the other ways that there are: on a server of another user, without a sandbox, each app through the other door.
 */
export const IS_MATRIX = process.env.TEST_MATRIX === 'true';
