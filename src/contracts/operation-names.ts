/** The seven operations. */
export const OPERATION_NAMES = ['clone', 'install', 'update', 'run', 'stop', 'status', 'unload'] as const;
export type OperationName = (typeof OPERATION_NAMES)[number];
