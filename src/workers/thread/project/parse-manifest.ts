import { Failure } from '../../../contracts/failure.js';
import { readInside, UnreadableFile } from '../../../machine/read-inside.js';

const MAX_MANIFEST_BYTES = 1_000_000;

/** A package.json somewhere in the workspace as it stands there, or undefined when there is none. BAD_PACKAGE_JSON. */
export function parseManifest(workspace: string, path: string): Record<string, unknown> | undefined {
  try {
    const content = readInside(workspace, path, MAX_MANIFEST_BYTES);
    if (!content) return undefined;
    const value: unknown = JSON.parse(content.toString('utf8').replace(/^\uFEFF/, ''));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Failure('BAD_PACKAGE_JSON', `${path} does not hold a JSON object`);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new Failure('BAD_PACKAGE_JSON', `${path} is not valid JSON: ${error.message}`);
    if (error instanceof UnreadableFile) throw new Failure('BAD_PACKAGE_JSON', error.message, { cause: error });
    throw error;
  }
}
