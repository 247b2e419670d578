// What an operator may say about a TAXII 2.1 exchange, beside the keys that core gives every exchange.
import { z } from 'zod';
import type { Json } from '../../../core/model/json.ts';
import { peerShape, peerUrl, secret, secretOrBlank } from '../../../core/contracts/settings.ts';

const Auth = z.union(
  [
    z
      .strictObject({
        username: z
          .string()
          .regex(/^[^:]*$/, 'a user name without a colon (RFC 7617)')
          .describe('User name for HTTP Basic; may be blank where the password is a token.'),
        password: secretOrBlank().describe('Password for HTTP Basic; may be blank where the user name is a key.'),
      })
      .refine(({ username, password }) => username !== '' || password.file !== undefined || password.reveal() !== '', {
        error: 'user name and password are both blank; leave auth out',
      }),
    z.strictObject({ token: secret().describe('Bearer token.') }),
    z.strictObject({
      header: z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'a header name')
        .describe('Name of the header that carries an API key.'),
      value: secret().describe('The API key.'),
    }),
  ],
  { error: 'one of {username, password}, {token} or {header, value}' },
);

export const Taxii21Config = z.strictObject({
  type: z.literal('taxii21'),
  url: peerUrl().describe('API root, or a discovery URL, whose default root is used.'),
  collections: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Ids, aliases or titles of the collections to read; left out: every readable one.'),
  auth: Auth.optional().describe('Credentials; left out: none are sent.'),
  page_size: z.number().int().min(1).max(10_000).default(1000).describe('Objects asked for per request.'),
  start: z.iso
    .datetime({ offset: true, error: 'a time such as 2026-01-01T00:00:00Z' })
    .optional()
    .describe('Where the first poll begins; left out: with the oldest object.'),
  report_to: z
    .string()
    .min(1)
    .optional()
    .describe('Id, alias or title of the collection that takes our sightings; left out: none is sent.'),
  report_auth: Auth.optional().describe('Credentials for report_to; left out: those of auth.'),
  report_where_sighted: z
    .boolean()
    .default(false)
    .describe('Names our identity as the place of a sighting, not only as its author.'),
  ...peerShape,
});

export type Taxii21Config = z.output<typeof Taxii21Config>;

/** Two accounts may see different worlds (TAXII 2.1 §8), so a cursor belongs to one. Names no secret. */
export function accountOf(config: Taxii21Config): string {
  if (config.auth === undefined) return 'anonymous';
  if ('username' in config.auth) return `user ${config.auth.username}`;
  return 'token' in config.auth ? 'token' : `header ${config.auth.header}`;
}

/** What a cursor belongs to. Collections are left out: each has a cursor of its own. */
export function cursorSettings(config: Taxii21Config): Json {
  return { url: config.url, account: accountOf(config), start: config.start ?? null };
}
