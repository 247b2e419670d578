// A daemon whose record is changed under it says so by itself: in the log, in its metrics and on the History page.
import { expect, it } from 'vitest';
import { placeOf } from '../../src/app/specs.ts';
import { openBeside } from '../../src/core/store/state/open.ts';
import { pagesStage } from '../builders/pages-stage.ts';

it('is noticed at the next checkpoint, and what was mended is sound again', async () => {
  const stage = await pagesStage({ empty: true, token: false });
  try {
    const told = async (path: string) => (await fetch(stage.url + path)).text();
    expect(await told('/metrics')).toMatch(/^entente_audit_chain_ok 1$/m);
    expect(await told('/metrics')).toMatch(/^entente_audit_records [1-9]/m);
    expect(await told('/metrics')).toMatch(/^entente_audit_last_checkpoint_timestamp_seconds 1[\d.e+]+$/m);
    expect(await told('/history')).toContain('as it was written');

    const change = (from: string, to: string) => {
      const db = openBeside(placeOf(stage.app.config));
      db.exec(`UPDATE audit_record SET body = replace(body, '${from}', '${to}')`);
      db.close();
    };
    change('"entente"', '"nobody"');
    await stage.app.audit.checkpoint();

    expect(await told('/metrics')).toMatch(/^entente_audit_chain_ok 0$/m);
    expect(await told('/history')).toContain('not what was written');

    change('"nobody"', '"entente"');
    await stage.app.audit.checkpoint();
    expect(await told('/metrics')).toMatch(/^entente_audit_chain_ok 1$/m);
  } finally {
    await stage.close();
  }
});
