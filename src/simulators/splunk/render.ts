// The two faces of every answer outside KV store data: Atom XML by default, JSON with output_mode=json. Error
// bodies come in both forms as well, with the texts that real servers send.
import type { SimResponse } from '../server.ts';
import { mayWrite, type Acl, type User } from './state.ts';

export interface EaiEntry {
  readonly name: string;
  /** Path of the entity; also its id. */
  readonly path: string;
  readonly acl: Acl;
  readonly content: Readonly<Record<string, unknown>>;
}

export interface FeedOptions {
  readonly json: boolean;
  readonly title: string;
  readonly path: string;
  readonly version: string;
  readonly now: number;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly status?: number;
}

/** A list of entities, with Splunk's paging: 30 unless count says otherwise, 0 = all. */
export function feed(entries: readonly EaiEntry[], options: FeedOptions): SimResponse {
  const count = Number(options.query.get('count') ?? 30);
  const offset = Number(options.query.get('offset') ?? 0);
  const perPage = count > 0 ? count : Math.max(entries.length, 30);
  const page = count > 0 ? entries.slice(offset, offset + count) : entries.slice(offset);
  const updated = new Date(options.now).toISOString();
  if (options.json) {
    return json(options.status ?? 200, {
      links: {},
      origin: options.path,
      updated,
      generator: { build: 'f8bb53ab2e0c', version: options.version },
      entry: page.map((entry) => ({
        name: entry.name,
        id: entry.path,
        updated,
        links: { alternate: entry.path, list: entry.path, edit: entry.path },
        author: entry.acl.owner,
        acl: aclJson(entry.acl, options.user),
        content: entry.content,
      })),
      paging: { total: entries.length, perPage, offset },
      messages: [],
    });
  }
  const body = page.map((entry) => entryXml(entry, updated, options.user)).join('');
  return xml(
    options.status ?? 200,
    `<feed ${SPACES}>` +
      `<title>${escapeXml(options.title)}</title><id>${escapeXml(options.path)}</id><updated>${updated}</updated>` +
      `<generator build="f8bb53ab2e0c" version="${options.version}"/><author><name>Splunk</name></author>` +
      `<opensearch:totalResults>${entries.length}</opensearch:totalResults><opensearch:itemsPerPage>${perPage}</opensearch:itemsPerPage>` +
      `<opensearch:startIndex>${offset}</opensearch:startIndex><s:messages/>${body}</feed>`,
  );
}

const SPACES =
  'xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"';

function entryXml(entry: EaiEntry, updated: string, user: User, spaces = ''): string {
  const path = escapeXml(entry.path);
  const links = ['alternate', 'list', 'edit'].map((rel) => `<link href="${path}" rel="${rel}"/>`).join('');
  const content = dict({ 'eai:acl': aclJson(entry.acl, user), ...entry.content });
  return (
    `<entry${spaces}><title>${escapeXml(entry.name)}</title><id>${path}</id><updated>${updated}</updated>${links}` +
    `<author><name>${escapeXml(entry.acl.owner)}</name></author><content type="text/xml">${content}</content></entry>`
  );
}

/** One entity without a list around it: a search job in XML stands at the root. */
export function single(entry: EaiEntry, options: FeedOptions): SimResponse {
  if (options.json) return feed([entry], options);
  return xml(200, entryXml(entry, new Date(options.now).toISOString(), options.user, ` ${SPACES}`));
}

export type MessageType = 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

export function message(
  asJson: boolean,
  status: number,
  type: MessageType,
  text: string,
  extra: { readonly code?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): SimResponse {
  const answer = asJson
    ? json(status, { messages: [{ type, ...(extra.code === undefined ? {} : { code: extra.code }), text }] })
    : xml(
        status,
        `<response><messages><msg type="${type}"${extra.code === undefined ? '' : ` code="${extra.code}"`}>${escapeXml(text)}</msg></messages></response>`,
      );
  return { ...answer, headers: { ...answer.headers, ...extra.headers } };
}

export function json(status: number, value: unknown): SimResponse {
  return { status, headers: { 'content-type': 'application/json; charset=UTF-8' }, body: JSON.stringify(value) };
}

export function xml(status: number, body: string): SimResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml; charset=UTF-8' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  };
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** An object as `<s:dict>`: booleans are 1 and 0, everything else is text, lists and objects nest. */
function dict(value: Readonly<Record<string, unknown>>): string {
  const keys = Object.entries(value).map(([name, one]) => `<s:key name="${escapeXml(name)}">${node(one)}</s:key>`);
  return `<s:dict>${keys.join('')}</s:dict>`;
}

function node(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (Array.isArray(value)) return `<s:list>${value.map((one) => `<s:item>${node(one)}</s:item>`).join('')}</s:list>`;
  if (typeof value === 'object') return dict(value as Record<string, unknown>);
  return escapeXml(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

function aclJson(acl: Acl, user: User): Record<string, unknown> {
  const write = mayWrite(acl, user);
  return {
    app: acl.app,
    owner: acl.owner,
    sharing: acl.sharing,
    can_write: write,
    can_list: true,
    can_change_perms: write,
    modifiable: write,
    removable: write,
    perms: { read: acl.read, write: acl.write },
  };
}
