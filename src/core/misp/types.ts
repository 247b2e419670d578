// What an attribute type can be on a watchlist: whole, by one of its halves, or never. The server's own default of
// `to_ids` says nothing here: victims' addresses and mutexes carry it, too.
import type { ObservableType } from '../model/observable.ts';

/** What one value, or one half of a composite, is watched as. An address is of the family that it is spelled in. */
export type Watched = ObservableType | 'address';

export type Handling =
  | { readonly kind: 'whole'; readonly as: Watched }
  /**
   * Exactly two halves parted by `|`. A half without a kind is dropped; `wider`: what is left over means more than the
   * pair did, so that it is believed less. `colon`: old data part host and port by a colon.
   */
  | {
      readonly kind: 'pair';
      readonly left?: Watched;
      readonly right?: Watched;
      readonly wider: boolean;
      readonly colon?: true;
    }
  /** Why it is never armed: constant, fit to be counted. `personal`: of people, so that the value is not kept either. */
  | { readonly kind: 'never'; readonly reason: string; readonly personal?: true };

export function handlingOf(type: string): Handling {
  return TYPES.get(type) ?? UNKNOWN;
}

const whole = (as: Watched): Handling => ({ kind: 'whole', as });
const never = (reason: string): Handling => ({ kind: 'never', reason });

const MD5 = 'file:hashes.MD5';
const SHA1 = "file:hashes.'SHA-1'";
const SHA256 = "file:hashes.'SHA-256'";
const SHA512 = "file:hashes.'SHA-512'";

const UNKNOWN = never('unknown attribute type');

const ofAll = (types: string, handling: Handling): [string, Handling][] =>
  types.split(' ').map((type) => [type, handling]);

const TYPES: ReadonlyMap<string, Handling> = new Map<string, Handling>([
  ...ofAll('ip-src ip-dst', whole('address')),
  ...ofAll('domain hostname', whole('domain-name')),
  ...ofAll('url uri', whole('url')),
  ...ofAll('email email-src', whole('email-addr')),
  ['md5', whole(MD5)],
  ['sha1', whole(SHA1)],
  ['sha256', whole(SHA256)],
  ['sha512', whole(SHA512)],

  ...ofAll('ip-src|port ip-dst|port', { kind: 'pair', left: 'address', wider: true, colon: true }),
  ['hostname|port', { kind: 'pair', left: 'domain-name', wider: false, colon: true }],
  ['domain|ip', { kind: 'pair', left: 'domain-name', right: 'address', wider: true }],
  ...ofAll('filename|md5 malware-sample', { kind: 'pair', right: MD5, wider: false }),
  ['filename|sha1', { kind: 'pair', right: SHA1, wider: false }],
  ['filename|sha256', { kind: 'pair', right: SHA256, wider: false }],
  ['filename|sha512', { kind: 'pair', right: SHA512, wider: false }],

  ...ofAll(
    'imphash pehash authentihash telfhash ssdeep tlsh vhash cdhash impfuzzy filename|imphash filename|pehash ' +
      'filename|authentihash filename|ssdeep filename|tlsh filename|vhash filename|impfuzzy',
    never('a hash of likeness, not of one file'),
  ),
  ...ofAll(
    'sha224 sha384 sha512/224 sha512/256 sha3-224 sha3-256 sha3-384 sha3-512 filename|sha224 filename|sha384 ' +
      'filename|sha512/224 filename|sha512/256 filename|sha3-224 filename|sha3-256 filename|sha3-384 filename|sha3-512',
    never('a hash that no watchlist holds'),
  ),
  ...ofAll(
    'email-dst eppn target-user target-email target-machine target-org target-location target-external ' +
      'whois-registrant-email whois-registrant-phone whois-registrant-name whois-registrant-org email-dst-display-name ' +
      'first-name middle-name last-name full-name date-of-birth place-of-birth gender passport-number passport-country ' +
      'passport-expiration redress-number nationality visa-number issue-date-of-the-visa primary-residence ' +
      'country-of-residence special-service-request frequent-flyer-number travel-details payment-details ' +
      'place-port-of-original-embarkation place-port-of-clearance place-port-of-onward-foreign-destination ' +
      'passenger-name-record-locator-number identity-card-number phone-number twitter-id github-username ' +
      'github-repository github-organisation jabber-id iban bic bank-account-nr aba-rtn bin cc-number prtn',
    { kind: 'never', reason: 'data of victims or persons', personal: true },
  ),
  ...ofAll('filename email-attachment', never('a file name alone')),
  ...ofAll(
    'email-subject email-body email-header email-reply-to email-src-display-name email-x-mailer email-mime-boundary ' +
      'email-thread-index email-message-id dkim dkim-signature user-agent',
    never('a text of mail or web that no watchlist holds'),
  ),
  ...ofAll(
    'mutex regkey regkey|value windows-service-name windows-service-displayname ' +
      'windows-scheduled-task process-state pdb',
    never('a trace on a host that no watchlist holds'),
  ),
  ['named pipe', never('a trace on a host that no watchlist holds')],
  ...ofAll(
    'ja3-fingerprint-md5 jarm hassh-md5 hasshserver-md5 x509-fingerprint-md5 x509-fingerprint-sha1 x509-fingerprint-sha256 ' +
      'favicon-mmh3 dom-hash onion-address community-id ssh-fingerprint pgp-public-key pgp-private-key',
    never('a fingerprint that no watchlist holds'),
  ),
  ...ofAll(
    'AS port mac-address mac-eui-64 cookie http-method link text comment vulnerability cpe weakness datetime counter ' +
      'float hex boolean size-in-bytes threat-actor campaign-name campaign-id malware-type attachment other anonymised ' +
      'gene xmr btc dash cryptocurrency-address whois-creation-date whois-registrar dns-soa-email chrome-extension-id ' +
      'mobile-application-id azure-application-id process-name git-commit-id',
    never('a type that names no value for a watchlist'),
  ),
  ...ofAll(
    'snort yara sigma bro zeek kusto-query stix2-pattern pattern-in-file pattern-in-traffic pattern-in-memory ' +
      'filename-pattern pattern-filename pgp',
    never('a rule, not a value'),
  ),
]);
