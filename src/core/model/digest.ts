// Digests that tell two contents apart. Pure: the same text gives the same number everywhere and always.
import { hash } from 'node:crypto';

/** 48 bits of a digest, as a number that is exact in JavaScript and SQLite. */
export function digest48(text: string): number {
  return Number.parseInt(hash('sha1', text, 'hex').slice(0, 12), 16);
}
