// Signed notes (C2SP signed-note) and the checkpoints written as such (C2SP tlog-checkpoint): a text of lines, a blank
// line, and a line for each signature. Ed25519; signatures of keys that nobody here knows are left alone, so that a
// witness can add its own.
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

const ED25519 = 1;
/** What stands before the 32 bytes of a private and of a public key, in DER (RFC 8410). */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;

/** Who checks: name, four bytes that tell keys of one name apart, and the key. Written `name+hash+key`. */
export interface Verifier {
  readonly name: string;
  readonly id: string;
  readonly key: KeyObject;
  readonly text: string;
}

export interface Signer extends Verifier {
  readonly private: KeyObject;
}

/** From the 32 bytes that an Ed25519 key is made of. */
export function signerOf(name: string, seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
  return { ...verifierFrom(name, raw), private: key };
}

function verifierFrom(name: string, raw: Uint8Array): Verifier {
  if (name === '' || /[\s+]/u.test(name)) throw new TypeError(`"${name}" is no name of a key: no blanks, no plus sign`);
  const typed = Buffer.concat([Buffer.from([ED25519]), raw]);
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), typed]), 'hex').slice(0, 8);
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
  return { name, id, key, text: `${name}+${id}+${typed.toString('base64')}` };
}

/** Undefined where it is no verifier key of Ed25519, or its parts do not fit together. */
export function verifierOf(text: string): Verifier | undefined {
  const [, name, id, key] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text) ?? [];
  if (name === undefined || id === undefined || key === undefined) return undefined;
  const typed = Buffer.from(key, 'base64');
  if (typed.length !== 33 || typed[0] !== ED25519) return undefined;
  const verifier = verifierFrom(name, typed.subarray(1));
  return verifier.id === id ? verifier : undefined;
}

/** `text` ends in a line feed. */
export function signNote(text: string, ...signers: readonly Signer[]): string {
  if (!text.endsWith('\n')) throw new TypeError('a note ends in a line feed');
  const lines = signers.map((one) => `— ${one.name} ${signatureOf(text, one).toString('base64')}\n`);
  return `${text}\n${lines.join('')}`;
}

function signatureOf(text: string, signer: Signer): Buffer {
  return Buffer.concat([Buffer.from(signer.id, 'hex'), sign(null, Buffer.from(text, 'utf8'), signer.private)]);
}

interface OpenedNote {
  readonly text: string;
  /** Those of the given verifiers whose signature stands under it. */
  readonly by: readonly Verifier[];
}

/** Undefined where it is no note, none of the given keys signed it, or a signature under one of their names is wrong. */
export function openNote(note: string, verifiers: readonly Verifier[]): OpenedNote | undefined {
  const at = note.lastIndexOf('\n\n');
  // Control characters other than line feeds have no place in a note.
  if (at < 0 || !note.endsWith('\n') || /(?!\n)\p{Cc}/u.test(note) || !note.isWellFormed()) return undefined;
  const text = note.slice(0, at + 1);
  const by = new Set<Verifier>();
  for (const line of note.slice(at + 2, -1).split('\n')) {
    const [, name, coded] = LINE.exec(line) ?? [];
    if (name === undefined || coded === undefined) return undefined;
    const bytes = Buffer.from(coded, 'base64');
    const id = bytes.subarray(0, 4).toString('hex');
    const known = verifiers.find((one) => one.name === name && one.id === id);
    if (known === undefined) continue;
    if (!verify(null, Buffer.from(text, 'utf8'), known.key, bytes.subarray(4))) return undefined;
    by.add(known);
  }
  return by.size === 0 ? undefined : { text, by: [...by] };
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${root}\n`;

/** Extension lines are allowed and not looked at. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', size = '', root = ''] = text.split('\n');
  if (origin === '' || !/^(0|[1-9]\d{0,14})$/.test(size)) return undefined;
  return Buffer.from(root, 'base64').length === 32 && /^[A-Za-z0-9+/]{43}=$/.test(root)
    ? { origin, size: Number(size), root }
    : undefined;
}

/** A checkpoint in one line, as a writer mark carries it: size, root and signature. */
export function briefOf(note: string): string | undefined {
  const checkpoint = parseCheckpoint(textOf(note));
  const signature = /\n— \S+ (\S+)\n/.exec(note)?.[1];
  return checkpoint === undefined || signature === undefined
    ? undefined
    : `${checkpoint.size} ${checkpoint.root} ${signature}`;
}

/** The whole again. The key has the name of the record. */
export function fromBrief(brief: string, origin: string): string {
  const [size = '', root = '', signature = ''] = brief.split(' ');
  return `${origin}\n${size}\n${root}\n\n— ${origin} ${signature}\n`;
}

/** The text before the signatures, checked or not. */
export const textOf = (note: string): string => note.slice(0, Math.max(0, note.lastIndexOf('\n\n') + 1));
