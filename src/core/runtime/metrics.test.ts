import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  it('carry our prefix, and count what is told', async () => {
    const metrics = createMetrics('1.2.3');
    metrics.ingested('partner', { objects: 10, refused: 0 });
    metrics.ingested('partner', { objects: 5, refused: 2 });
    metrics.delivered('watch', 'applied', 7);
    metrics.siem('watch', {
      wanted: 9,
      delivered: 7,
      pending: 2,
      parked: 0,
      kept_out: 0,
      held: 0,
      rejected: 0,
      oldestPendingSecs: 1.5,
      drift: 3,
    });
    expect(await metrics.text()).not.toContain('credential_expiry');
    metrics.expires('token', 'own', 'siem', 'watch', 1_900_000_000_500);

    metrics.toReview(3);
    metrics.audit({ sound: false, records: 12, signedAtMs: 1_900_000_000_500 });
    const text = await metrics.text();

    expect(text).toContain('entente_harmless_to_review 3');
    expect(text).toContain('entente_audit_chain_ok 0');
    expect(text).toContain('entente_audit_records 12');
    expect(text).toContain('entente_audit_last_checkpoint_timestamp_seconds 1900000000.5');

    expect(text).toContain('entente_ingest_objects_total{exchange="partner"} 15');
    expect(text).toContain('entente_ingest_refused_total{exchange="partner"} 2');
    expect(text).toContain('entente_delivery_changes_total{siem="watch",outcome="applied"} 7');
    expect(text).toContain('entente_siem_entries{siem="watch",kind="pending"} 2');
    expect(text).toContain('entente_siem_oldest_pending_seconds{siem="watch"} 1.5');
    expect(text).toContain('entente_siem_drift_entries{siem="watch"} 3');
    expect(text).toContain(
      'entente_credential_expiry_timestamp_seconds{what="token",whose="own",role="siem",peer="watch"} 1900000000.5',
    );
    expect(text).toContain('entente_build_info{version="1.2.3"} 1');
    expect(text).toMatch(/^process_resident_memory_bytes \d/m);
    expect(text.split('\n').filter((line) => line !== '' && !/^(#|entente_|process_|nodejs_)/.test(line))).toEqual([]);
  });

  it('show exactly one state of a peer', async () => {
    const metrics = createMetrics('1');
    metrics.state('siem', 'watch', 'failing');
    metrics.state('siem', 'watch', 'ok');

    const held = (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith('entente_peer_state') && line.endsWith(' 1'));

    expect(held).toEqual(['entente_peer_state{kind="siem",name="watch",state="ok"} 1']);
  });
});
