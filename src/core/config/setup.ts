// What `init` has to ask of each kind of peer, read from the schemas that check the file, and the commented file that
// the answers make. A new connector is asked for without a word here. A secret is only ever named, never written.
import { z } from 'zod';
import { fileSchema, type Registry } from './settings.ts';

export interface Credential {
  readonly key: string;
  readonly secret: boolean;
  readonly help: string;
}

export interface PeerForm {
  readonly type: string;
  /** Where it is: `url`, or `path` for a folder. */
  readonly place: { readonly key: string; readonly help: string };
  /** Sets of keys of `auth`, any of which will do; none where it takes no credentials. */
  readonly credentials: readonly (readonly Credential[])[];
  /** It also works without any. */
  readonly anonymous: boolean;
}

export interface PeerAnswer {
  readonly name: string;
  readonly type: string;
  readonly place: { readonly key: string; readonly value: string };
  /** As they stand in the file: `username: soc`, `password: ${NAME}` or `password_file: PATH`. */
  readonly auth: Readonly<Record<string, string>>;
}

export interface SetupAnswers {
  readonly instance: string;
  readonly exchanges: readonly PeerAnswer[];
  readonly siems: readonly PeerAnswer[];
}

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly const?: unknown;
  readonly description?: string;
  readonly secret?: boolean;
}

export function peerForms(registry: Registry): {
  readonly exchanges: readonly PeerForm[];
  readonly siems: readonly PeerForm[];
} {
  const schema = z.toJSONSchema(fileSchema(registry), { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  // The generator's own type has the same keys; Node names those that are read here.
  const root = schema as unknown as Node;
  const forms = (key: string): PeerForm[] => {
    const items = root.properties?.[key]?.items;
    return (items?.oneOf ?? items?.anyOf ?? (items?.properties === undefined ? [] : [items])).map(formOf);
  };
  return { exchanges: forms('exchanges'), siems: forms('siems') };
}

function formOf(peer: Node): PeerForm {
  const key = peer.properties?.['url'] === undefined ? 'path' : 'url';
  const auth = peer.properties?.['auth'];
  const choices = auth === undefined ? [] : (auth.anyOf ?? auth.oneOf ?? [auth]);
  return {
    type: String(peer.properties?.['type']?.const),
    place: { key, help: peer.properties?.[key]?.description ?? '' },
    credentials: choices.map((choice) =>
      (choice.required ?? []).map((name) => ({
        key: name,
        secret: choice.properties?.[name]?.secret === true,
        help: choice.properties?.[name]?.description ?? '',
      })),
    ),
    anonymous: !(peer.required ?? []).includes('auth'),
  };
}

/** The file. JSON's texts are YAML's, so every value is quoted as JSON unless it is a plain word. */
export function setupText({ instance, exchanges, siems }: SetupAnswers): string {
  return [
    '# Made by `entente init`. Every key is explained in docs/configuration.md, and config/example.yaml shows all choices.',
    '# After a change: `entente check`, `entente check --probe`, `entente plan`; then `entente run`, or reload the daemon.',
    '# No secret stands here: ${NAME} comes from the environment, a key that ends in _file names a file that holds it.',
    '',
    '# Owner mark of every entry in every SIEM. The state remembers it and refuses another.',
    `instance: ${text(instance)}`,
    '',
    '# One SQLite file; a relative path counts from here. Not on a network file system.',
    'state: ./state/entente.db',
    '',
    '# Probes, metrics and the pages. Any other address than loopback needs a token:',
    '# listen: { address: 0.0.0.0:8686, token_file: ./secrets/web-token, hosts: [entente.soc.example] }',
    'listen: 127.0.0.1:8686',
    '',
    '# Our own ground: never armed, never told in a sighting. Private addresses need no mention.',
    '# own: { networks: [203.0.113.0/24], domains: [soc.example] }',
    '',
    `exchanges:${exchanges.length === 0 ? ' []' : ''}`,
    ...exchanges.flatMap((one) => [
      ...peerLines(one),
      '    # When to poll: cron in UTC.',
      '    schedule: "*/5 * * * *"',
      ...(one.type === 'taxii21'
        ? ['    # Ids, aliases or titles; left out: every readable one.', '    # collections: [indicators]']
        : []),
    ]),
    '',
    `siems:${siems.length === 0 ? ' []' : ''}`,
    ...siems.flatMap((one) => [
      ...peerLines(one),
      '    # Highest TLP this SIEM may hold: clear, green, amber, amber+strict, red.',
      '    clearance: amber',
      '    # shadow plans and writes nothing; live writes.',
      '    mode: live',
    ]),
    '',
    '# What is taken in, and what waits for a person. These are the defaults.',
    'policy:',
    '  # How an object without TLP counts at intake.',
    '  unmarked: amber',
    '  # For indicators without valid_until, from the later of modified and valid_from.',
    '  lifetime_days: { default: 90, ipv4-addr: 30, file: 365 }',
    '  # Withdrawals beyond a fifth of what a partner has on a SIEM within a day, and at least 100, wait for a person.',
    '  removal_brake: { share: 0.2, at_least: 100, window_hours: 24 }',
    '',
    '# Nothing leaves: no partner is told what was seen here until `release` says so. See docs/sightings.md.',
    '',
  ].join('\n');
}

function peerLines({ name, type, place, auth }: PeerAnswer): string[] {
  const keys = Object.entries(auth).map(([key, value]) => `${key}: ${text(value)}`);
  return [
    `  - name: ${text(name)}`,
    `    type: ${text(type)}`,
    `    ${place.key}: ${text(place.value)}`,
    ...(keys.length === 0 ? [] : [`    auth: { ${keys.join(', ')} }`]),
  ];
}

/** Words that YAML would take for something else than a text are quoted too. */
const text = (value: string): string =>
  /^[A-Za-z][A-Za-z0-9.-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
    ? value
    : JSON.stringify(value);
