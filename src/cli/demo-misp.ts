// The demo's second partner, a MISP server: one event of today, what its people do to it a day later, and a hit in
// Elasticsearch of which it is told.
import type { RunningElastic } from '../simulators/elastic/index.ts';
import type { RunningMisp } from '../simulators/misp/index.ts';

const uuid = (n: number) => `5f3c1f0e-2b8a-4d57-9c41-${String(n).padStart(12, '0')}`;
const SIGHTED = 'login.evil.example';
const TAKEN_BACK = uuid(1);

/** Seven values to watch, and three attributes that must not be: a text, one without to_ids, and a victim's own name. */
export function campaign(now: number): unknown {
  const secs = String(Math.floor(now / 1000) - 3600);
  const attribute = (n: number, type: string, value: string, more: object = {}) => ({
    uuid: uuid(n),
    type,
    value,
    to_ids: true,
    timestamp: secs,
    ...more,
  });
  return {
    Event: {
      uuid: uuid(900),
      info: 'Phishing against ministries',
      timestamp: secs,
      Tag: [{ name: 'tlp:green' }, { name: 'misp:confidence-level="usually-confident"' }],
      Attribute: [
        attribute(1, 'ip-dst', '192.0.2.201'),
        attribute(2, 'ip-dst', '192.0.2.202'),
        attribute(3, 'ip-dst|port', '192.0.2.203|8443'),
        attribute(4, 'domain', SIGHTED),
        attribute(5, 'url', 'https://login.evil.example/mail'),
        attribute(6, 'sha256', '5e'.repeat(32)),
        attribute(7, 'comment', 'seen since spring'),
        attribute(8, 'domain', 'mail.example', { to_ids: false }),
      ],
      Object: [
        { uuid: uuid(901), name: 'ip-port', Attribute: [attribute(9, 'ip-dst', '192.0.2.204')] },
        { uuid: uuid(902), name: 'victim', Attribute: [attribute(10, 'domain', 'ministry.example')] },
      ],
    },
  };
}

export const takeBackOne = (partner: RunningMisp): void =>
  partner.act({ do: 'delete', attribute: TAKEN_BACK, publish: true });

/** An alert as Elastic's indicator match rule leaves it, on the entry that stands there for the partner's domain. */
export function seeOne(elastic: RunningElastic, index: string, now: number): string | undefined {
  const [id] = Object.entries(elastic.documents(index)).find(([, document]) => nameIn(document) === SIGHTED) ?? [];
  if (id === undefined) return undefined;
  const time = new Date(now).toISOString();
  const matched = { id, index, field: 'dns.question.name', atomic: SIGHTED };
  elastic.plantEvents([
    {
      time,
      index: '.internal.alerts-security.alerts-default-000001',
      fields: { 'kibana.alert.original_time': time, 'host.name': 'pc-17', threat: { enrichments: [{ matched }] } },
    },
  ]);
  return SIGHTED;
}

const nameIn = (document: unknown): unknown =>
  (document as { threat?: { indicator?: { name?: unknown } } }).threat?.indicator?.name;

const KINDS: Readonly<Record<string, string>> = { '0': 'seen', '1': 'false positive', '2': 'expired' };

/** What the partner holds of ours, read from it. */
export function toldTo(partner: RunningMisp): string {
  const held = partner.sightings();
  const each = held.map(
    ({ type, attribute_uuid: of, value, date_sighting: at }) =>
      `type ${type} (${KINDS[type]}) of attribute ${of} (${value}), at ${new Date(at * 1000).toISOString()}`,
  );
  const count = `${held.length} sighting${held.length === 1 ? '' : 's'}`;
  return `The MISP partner holds ${count}${held.length === 0 ? '' : `: ${each.join('; ')}, and not one word more`}.`;
}
