import { describe, expect, it } from 'vitest';
import fc from '../../../test/property.ts';
import { checkpointText, openNote, parseCheckpoint, signerOf, signNote, textOf, verifierOf } from './note.ts';

// The example of Go's sumdb/note, whose format C2SP signed-note is.
const SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
const signer = signerOf('PeterNeumann', SEED);
const verifier = verifierOf(KEY)!;

describe('a note', () => {
  it('is signed as the known one is', () => {
    expect(signer.text).toBe(KEY);
    expect(signNote(TEXT, signer)).toBe(NOTE);
    expect(openNote(NOTE, [verifier])?.text).toBe(TEXT);
    expect(textOf(NOTE)).toBe(TEXT);
  });

  it('is opened by the key of the known example of C2SP', () => {
    const key = verifierOf('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')!;
    const note =
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

    expect(openNote(note, [key])?.by).toEqual([key]);
  });

  it('is found to be changed, whatever was changed', () => {
    fc.assert(
      fc.property(fc.nat(NOTE.length - 1), fc.constantFrom('x', '0', '\n', ' ', '\u0000'), (at, put) => {
        const changed = NOTE.slice(0, at) + put + NOTE.slice(at + 1);
        const opened = changed === NOTE ? undefined : openNote(changed, [verifier]);

        expect(opened).toBeUndefined();
      }),
    );
  });

  it('may carry signatures of others, which are left alone', () => {
    const witness = signerOf('witness.example', Buffer.alloc(32, 7));
    const note = signNote(TEXT, signer, witness);

    expect(openNote(note, [verifier])?.by).toEqual([verifier]);
    expect(openNote(note, [verifierOf(witness.text)!])?.text).toBe(TEXT);
    expect(openNote(note, [])).toBeUndefined();
  });

  it('may have blank lines in its text', () => {
    const note = signNote('one\n\ntwo\n', signer);

    expect(openNote(note, [verifier])?.text).toBe('one\n\ntwo\n');
  });
});

it.each([
  '',
  'x',
  'a b+c74f20a3+AR',
  KEY.replace('c74f20a3', 'c74f20a4'),
  KEY.slice(0, -4),
  KEY.replace('+ARpc', '+BRpc'),
])('takes no key from %j', (text) => {
  expect(verifierOf(text)).toBeUndefined();
});

describe('a checkpoint', () => {
  const checkpoint = { origin: 'soc.example/entente/mons', size: 12, root: Buffer.alloc(32, 1).toString('base64') };

  it('is read as it was written', () => {
    expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint);
    expect(parseCheckpoint(`${checkpointText(checkpoint)}an extension\n`)).toEqual(checkpoint);
  });

  it.each(['', 'a\n012\nAA==\n', 'a\n-1\nAA==\n', `a\n1\n${'A'.repeat(44)}\n`, 'a\n1\n'])(
    'is not read from %j',
    (text) => {
      expect(parseCheckpoint(text)).toBeUndefined();
    },
  );
});
