// Pieces of configuration that several peers share, so that a key means the same everywhere.
import { z } from 'zod';
import { Secret } from '../runtime/secret.ts';

/** A secret text. In YAML either the key itself, or its twin `<key>_file` with a path (core/config turns that into {file}). */
export const secret = () =>
  z
    .union([z.string().min(1), z.strictObject({ file: z.string().min(1) })])
    .transform((given) => (typeof given === 'string' ? Secret.of(given) : Secret.file(given.file)))
    .meta({ secret: true });

/** A password that may be blank, as HTTP Basic has it where the user name is the key (RFC 7617 §2). */
export const secretOrBlank = () =>
  z
    .union([z.string(), z.strictObject({ file: z.string().min(1) })])
    .transform((given) => (typeof given === 'string' ? Secret.of(given) : Secret.file(given.file)))
    .meta({ secret: true });

export const TlsSettings = z
  .strictObject({
    ca_file: z.string().optional().describe('PEM file with certificate authorities, added to the built-in roots.'),
    cert_file: z.string().optional().describe('PEM file with the client certificate.'),
    key_file: z.string().optional().describe('PEM file with the key of the client certificate.'),
    key_passphrase: secret().optional().describe('Passphrase of key_file.'),
    server_name: z.string().optional().describe('Name to expect in the certificate, where it differs from the URL.'),
    fingerprint_sha256: z
      .string()
      .regex(/^([0-9a-fA-F]{2}:?){32}$/, 'a SHA-256 fingerprint: 64 hex digits, colons allowed')
      .optional()
      .describe('Accept only this server certificate.'),
  })
  .describe('TLS to this peer. Certificates are always checked; there is no way to switch that off.');

/**
 * An http(s) URL as it is typed. URL readers mend what is malformed: `https:///x/` and `https:x` become the host x, so
 * that a name would be looked up, and a secret sent, which nobody meant.
 */
function typedUrl(text: string): URL | null {
  return /^https?:\/\/[^/\\?#\s]/i.test(text) && !/[\\\s]/.test(text) ? URL.parse(text) : null;
}

/** Where requests go through; the same for one peer and for all. */
export const proxyUrl = () =>
  z.string().refine((text) => text === 'none' || typedUrl(text) !== null, 'an http(s) URL, or none');

/** Keys that every peer with a network address takes. */
export const peerShape = {
  timeout_secs: z.number().int().positive().max(3600).default(60).describe('Longest time for one request.'),
  allow_http: z.boolean().default(false).describe('Allow plain HTTP beyond loopback.'),
  proxy: proxyUrl().optional().describe('Proxy URL for this peer, or none.'),
  tls: TlsSettings.prefault({}),
};

export type PeerSettings = {
  timeout_secs: number;
  allow_http: boolean;
  proxy?: string | undefined;
  tls: z.output<typeof TlsSettings>;
};

/** An http(s) URL without credentials in it. */
export const peerUrl = () =>
  z.string().refine((text) => {
    const url = typedUrl(text);
    return url !== null && [url.username, url.password, url.search, url.hash].every((one) => one === '');
  }, 'an http(s) URL without user name or password in it, and without a query, such as https://host/; credentials go into auth');
