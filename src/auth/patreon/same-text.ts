import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In a time that says nothing about how much of it is the same. */
export const isSameText = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
