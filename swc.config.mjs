/**
 * How sources are compiled, for the build and for jest alike.
 *
 * @type {import('@swc/core').Options}
 */
export const swc = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
};
