// What no partner may put on a watchlist: our own ground and lists of values, networks and domains.
import { z } from 'zod';
import { canonical } from '../../model/canonical.ts';
import { ipRange } from '../../model/ip.ts';
import { isCatchAll, listedValue } from '../../model/listed-value.ts';
import { wrong } from './words.ts';

const network = () =>
  z.string().superRefine((text, context) => {
    if (ipRange(text) === undefined)
      context.addIssue(wrong('is no address or network; write it as 192.0.2.7 or 192.0.2.0/24'));
  });

const domain = () =>
  z.string().superRefine((text, context) => {
    if ('refused' in canonical('domain-name', text.replace(/^=/, '')))
      context.addIssue(
        wrong('is no domain; write soc.example, which covers what is below it, or =soc.example for itself alone'),
      );
  });

export const listShape = {
  values: z
    .array(
      z.string().superRefine((text, context) => {
        if (listedValue(text) === undefined)
          context.addIssue(
            wrong('is no address, network, name, URL, mail address or hash; a whole domain belongs under domains'),
          );
      }),
    )
    .default([])
    .describe('Single values, in any spelling. An address covers URLs on it.'),
  cidrs: z
    .array(
      network().superRefine((text, context) => {
        const range = ipRange(text);
        if (range !== undefined && isCatchAll(range))
          context.addIssue(wrong('covers nearly every address, so that nothing could be armed; name narrower ones'));
      }),
    )
    .default([])
    .describe('Networks; each covers what is inside it, and every network that holds a part of it.'),
  domains: z
    .array(domain())
    .default([])
    .describe('Domains with what is below them, URLs and mail addresses on them; `=domain` only itself.'),
};

const ListAction = z.enum(['refuse', 'note']);

export const NeverBlock = z
  .strictObject({
    ...listShape,
    lists: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of MISP warninglists: `lists/NAME/list.json` or `NAME/list.json` in it, or `NAME.json`.'),
    list_actions: z
      .strictObject({
        special_addresses: ListAction.optional().describe(
          'Addresses and names with a meaning only locally: private, loopback, link-local, multicast and their like.',
        ),
        documentation: ListAction.optional().describe('Documentation, benchmarking and future-use ranges.'),
        public_suffixes: ListAction.optional().describe('Domains such as com or org.uk, and names of one label.'),
        public_resolvers: ListAction.optional().describe('Resolvers that everybody asks, such as 9.9.9.9.'),
        empty_hashes: ListAction.optional().describe('Hashes of the empty file.'),
        own_hosts: ListAction.optional().describe(
          'Hosts that this configuration names. What stands under `own` is refused in any case.',
        ),
      })
      .catchall(ListAction)
      .prefault({})
      .describe(
        'refuse, or note: armed, and `why` names the list. Built-in lists refuse, a list of the folder goes by its name and notes; public-dns-v4, public-dns-v6, empty-hashes and tlds refuse.',
      ),
  })
  .describe('What no partner may put on a watchlist.');

export const Own = z
  .strictObject({
    networks: z.array(network()).default([]).describe('Addresses and networks.'),
    domains: z.array(domain()).default([]).describe('Domains; one covers what is below it, `=domain` only itself.'),
  })
  .describe('Our own ground: never armed, never told in a sighting.');

export type OwnSettings = z.output<typeof Own>;
