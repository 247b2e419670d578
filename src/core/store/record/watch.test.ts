// What a daemon notices by itself of a record that somebody changed under it, and what only `audit verify` does.
import { describe, expect, it } from 'vitest';
import { anIndicator, indicators, MINUTE, NOW, Rig } from '../../../../test/builders/store.ts';
import { checkpointText, signerOf, signNote } from '../../audit/note.ts';
import { HistoryReader } from '../read/history.ts';

const SIGNER = signerOf('origin', Buffer.alloc(32, 7));

function signed(rig: Rig, now = NOW): void {
  const { size, root } = rig.store.auditHead();
  rig.store.keepCheckpoint(size, signNote(checkpointText({ origin: 'origin', size, root }), SIGNER), now);
}

/** Some records, all of them signed and looked at. */
function aRecord(): Rig {
  const rig = new Rig();
  for (let i = 0; i < 4; i++) {
    rig.commit(indicators(i, i + 1), NOW + i);
    rig.deliver(NOW + i);
  }
  signed(rig);
  expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: true, size: 5, says: null });
  return rig;
}

/** Two more, unsigned. */
function goesOn(rig: Rig): void {
  for (const i of [7, 8]) {
    rig.commit(indicators(i, i + 1), NOW + i);
    rig.deliver(NOW + i);
  }
}

describe('the end of a record', () => {
  it('is sound while nobody touches it, over restarts, and when there is none', () => {
    expect(new Rig().store.checkRecord(NOW)).toMatchObject({ sound: true });

    const rig = aRecord();
    goesOn(rig);
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: true, size: 7, from: 5 });
    signed(rig);
    rig.restart();
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: true, size: 7, from: 7 });
    goesOn(rig);
    rig.restart();
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: true, from: 7 });
  });

  it.each([
    [
      'changed',
      `UPDATE audit_record SET body = replace(body, '"entente"', '"nobody"') WHERE seq = 5`,
      /record 5 is not/,
    ],
    [
      'the last one changed',
      `UPDATE audit_record SET body = replace(body, '"entente"', '"nobody"') WHERE seq = 6`,
      /6, the last/,
    ],
    ['removed', 'DELETE FROM audit_record WHERE seq = 5', /record 5 is missing/],
    ['cut off', 'DELETE FROM audit_record WHERE seq >= 5', /record 5 and what follows it are missing/],
    [
      'put in',
      'INSERT INTO audit_record SELECT 7, at, action, body, lines, entries FROM audit_record WHERE seq = 6',
      /record 7 was put in/,
    ],
    ['one that is no record', "UPDATE audit_record SET body = 'x' WHERE seq = 6", /record 6 is no record/],
    ['no checkpoint any more', "UPDATE audit_checkpoint SET note = 'x'", /cannot be read/],
    ['signed beyond', 'UPDATE audit_checkpoint SET size = 9', /cannot be read/],
  ])('is named when a record was %s', (_, sql, says) => {
    const rig = aRecord();
    goesOn(rig);
    rig.sql(sql);

    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: false, says: expect.stringMatching(says) });
    rig.restart();
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: false, says: expect.stringMatching(says) });
  });

  it('is what was signed, also where all of it was written anew', () => {
    const rig = aRecord();
    const other = signNote(
      checkpointText({ origin: 'origin', size: 5, root: Buffer.alloc(32).toString('base64') }),
      SIGNER,
    );
    rig.sql(`UPDATE audit_checkpoint SET note = '${other}'`);

    const says = 'the first 5 records are not what was signed';
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: false, says });
    rig.restart();
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: false, says });
  });

  it('stays broken after the next checkpoint and a restart, and is sound once it is mended', () => {
    const rig = aRecord();
    goesOn(rig);
    const [row] = rig.ask<{ body: string }>('SELECT body FROM audit_record WHERE seq = 5');
    rig.sql("UPDATE audit_record SET body = 'x' WHERE seq = 5");
    expect(rig.store.checkRecord(NOW).sound).toBe(false);

    signed(rig);
    rig.restart();
    expect(rig.store.checkRecord(NOW)).toMatchObject({ sound: false, from: 5 });

    rig.sql(`UPDATE audit_record SET body = '${row!.body.replaceAll("'", "''")}' WHERE seq = 5`);
    expect(rig.store.checkRecord(NOW).sound).toBe(true);
  });

  it('is told with size, last checkpoint and time to whoever shows it', () => {
    const rig = new Rig();
    const state = () => {
      const reader = new HistoryReader(rig.spec);
      try {
        return reader.auditState();
      } finally {
        reader.close();
      }
    };
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    expect(state()).toMatchObject({ size: 1, checkpoint: null, verified: null });

    signed(rig, NOW + MINUTE);
    rig.store.checkRecord(NOW + 2 * MINUTE);

    expect(state()).toMatchObject({
      size: 1,
      checkpoint: { size: 1, at: new Date(NOW + MINUTE).toISOString() },
      verified: { at: new Date(NOW + 2 * MINUTE).toISOString(), size: 1, sound: true, says: null },
    });
  });
});
