// Digests that tell two contents apart. Pure: the same text gives the same number everywhere and always.
import { createHash, hash } from 'node:crypto';

/** 48 bits of a digest, as a number that is exact in JavaScript and SQLite. */
export function digest48(text: string): number {
  return Number.parseInt(hash('sha1', text, 'hex').slice(0, 12), 16);
}

/** What the store keeps of the identity of a match in a SIEM: the parts can't be read back from it. */
export function hitDigest(...parts: readonly string[]): string {
  return hash('sha256', parts.join('\0'), 'base64url').slice(0, 22);
}

/** RFC 9562 §5.5: the same name in the same namespace gives the same UUID everywhere and always. */
export function uuidV5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
