import { fileURLToPath } from 'node:url';

// At the root of src/, as both are found from here: the build bundles this into one file, which stands beside this one.

/** What threads run: it starts their code as the build bundles it. */
export const THREAD_ENTRY = new URL('./thread-loader.cjs', import.meta.url);

/** The folder of the station's own code and libraries. */
export const INSTALLATION = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
