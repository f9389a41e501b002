/**
 * Of open(2): a hold on what stands at a path, without any right to it and without any effect on it. What was looked at is
 * then what is used, by `/proc/self/fd/N`, whatever becomes of its name. Linux has it, and Node.js does not name it.
 */
export const O_PATH = 0o10000000;
