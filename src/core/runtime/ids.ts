// The one place for randomness and derived ids.
import { hash, randomBytes, randomUUID } from 'node:crypto';

export const uuid = (): string => randomUUID();
export const random = (): number => Math.random();
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');
export const sha256 = (text: string): string => hash('sha256', text, 'hex');
