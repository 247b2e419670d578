// An exchange is known by its name, and a name may be given to another place: another server, another account. What was
// learnt and decided under the old one must not go to the new one unseen.
import type { StoreContext } from '../unit/context.ts';
import { OUTBOX } from '../rows/outbox-rows.ts';
import type { Places } from '../rows/releases.ts';

/** Notices which exchanges were configured anew since the state was open last. */
export function notePlaces(store: StoreContext): Places {
  return store.unit(store.engineTime, (now) => {
    const places = new Map<string, number>();
    for (const { id, spec } of store.exchanges) {
      const name = `place ${spec.name}`;
      const text = store.meta(name);
      // Our own value, as written below.
      const known = text === undefined ? undefined : (JSON.parse(text) as { fingerprint: string; shownSince: number });
      let shownSince = known?.shownSince ?? 0;
      if (known !== undefined && known.fingerprint !== spec.fingerprint) {
        // Whatever the next poll shows carries the new number.
        shownSince = store.db.get<{ listing: number }>(
          'UPDATE exchange SET listing = listing + 1 WHERE id = ? RETURNING listing',
          id,
        )!.listing;
        holdForeign(store, id, spec.name, now);
      }
      if (known?.fingerprint !== spec.fingerprint)
        store.setMeta(name, JSON.stringify({ fingerprint: spec.fingerprint, shownSince }));
      places.set(spec.name, shownSince);
    }
    return places;
  });
}

/** What was to go there of objects of others: whether the place shows an object says nothing about these. */
function holdForeign(store: StoreContext, exchangeId: number, name: string, now: number): void {
  const states = `${OUTBOX.queued}, ${OUTBOX.sending}, ${OUTBOX.pending}, ${OUTBOX.failed}`;
  const rows = store.db.all<{ id: number; state: number }>(
    `SELECT b.id, b.state FROM outbox b JOIN object o ON o.id = b.object_id
     WHERE b.exchange_id = ? AND o.exchange_id <> b.exchange_id AND b.state IN (${states})`,
    exchangeId,
  );
  const reason = `exchange ${name} was configured anew after this was decided`;
  store.db.updateRows(
    'outbox',
    ['id'],
    ['state', 'since', 'reason', 'approved', 'receipt', 'sending', 'attempt'],
    rows.map(({ id }) => [OUTBOX.held, now, reason, null, null, null, 0, id]),
  );
  const failed = rows.filter(({ state }) => state === OUTBOX.failed).length;
  store.count('sightings', 'failed', -failed);
  store.count('sightings', 'queued', failed - rows.length);
  store.count('sightings', 'held', rows.length);
}
