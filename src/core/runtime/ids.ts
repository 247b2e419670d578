// The one place for randomness and derived ids.
import { hash, randomBytes, randomUUID } from 'node:crypto';

export const uuid = (): string => randomUUID();
export const random = (): number => Math.random();
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');
/** What a key of 32 bytes is made of. */
export const seed = (): Buffer => randomBytes(32);
export const sha256 = (text: string): string => hash('sha256', text, 'hex');
