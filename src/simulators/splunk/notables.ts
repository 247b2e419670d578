// Notable events of Enterprise Security, as far as somebody who asks for verdicts sees them: events of the index
// notable, the macro `notable` that joins them with what people said of them, and the endpoint by which people say it.
// "Using notable events in search" and "Notable Event API reference" (Splunk) name macro, fields and endpoint.
import { documentsOf } from './kv-data.ts';
import type { SimResponse } from '../server.ts';
import { type Handler, lacks, say } from './call.ts';
import { json } from './render.ts';
import { runSearch } from './spl.ts';
import { appAcl, type SplunkState } from './state.ts';

const APP = 'SA-ThreatIntelligence';
const REVIEWS = 'incident_review';
const FIELDS = ['rule_id', 'status', 'disposition', 'owner', 'urgency', 'comment', 'user', 'time'];
/** What a notable has that nobody looked at: New, Undetermined. */
const [NEW, UNDETERMINED] = ['1', 'disposition:6'];

export function installNotables(state: SplunkState): void {
  state.indexes.add('notable');
  const made = state.addCollection(
    APP,
    REVIEWS,
    FIELDS.map((field) => [`field.${field}`, field === 'time' ? 'time' : 'string'] as const),
  );
  made.acl.sharing = 'global';
  const settings = new Map([
    ['external_type', 'kvstore'],
    ['collection', REVIEWS],
    ['fields_list', ['_key', ...FIELDS].join(',')],
  ]);
  const acl = { ...appAcl(APP), sharing: 'global' as const };
  state.lookups.set(`${APP}/${REVIEWS}_lookup`, { app: APP, name: `${REVIEWS}_lookup`, settings, acl });
  state.macros.set(
    'notable',
    [
      'index="notable"',
      'eval event_id="5D8A3C1E-0000-4000-8000-000000000001@@notable@@".md5(_bkt."|"._cd)',
      `lookup ${REVIEWS}_lookup rule_id AS event_id OUTPUT status AS new_status, disposition AS new_disposition, owner`,
      `eval status=coalesce(new_status, "${NEW}"), disposition=coalesce(new_disposition, "${UNDETERMINED}")`,
      'fields - new_status, new_disposition',
    ].join(' | '),
  );
}

/** `ruleUIDs` (one or several), and any of status, disposition, newOwner, urgency, comment. */
export const notableRoutes: Handler = (call) => {
  if (call.path.join('/') !== 'notable_update' || !call.state.enterpriseSecurity) return undefined;
  if (call.method !== 'POST') return say(call, 404, 'ERROR', 'Not Found');
  if (!call.user.capabilities.includes('edit_notable_events')) return lacks(call, 'edit_notable_events');
  const reviews = documentsOf(call.state.collections.get(`${APP}/${REVIEWS}`)!, 'nobody');
  const context = { state: call.state, app: APP, user: call.user, messages: [], window: {} };
  const known = new Set(runSearch('search `notable`', context).rows.map((row) => String(row['event_id'])));
  const asked = call.form.getAll('ruleUIDs').filter((one) => known.has(one));
  if (asked.length === 0)
    return told({ success: false, message: 'No events could be found by these ids.', success_count: 0 });
  for (const id of asked) {
    const said = Object.fromEntries(
      [...call.form].flatMap(([name, value]) =>
        name === 'newOwner' ? [['owner', value]] : FIELDS.includes(name) ? [[name, value]] : [],
      ),
    );
    const time = call.state.clock.now() / 1000;
    reviews.set(id, {
      ...reviews.get(id),
      ...said,
      _key: id,
      _user: 'nobody',
      rule_id: id,
      user: call.user.name,
      time,
    });
  }
  const message = `${asked.length} event${asked.length === 1 ? '' : 's'} updated successfully`;
  return told({ success: true, message, success_count: asked.length });
};

const told = (body: { success: boolean; message: string; success_count: number }): SimResponse =>
  json(200, { details: {}, warnings: [], failure_count: body.success ? 0 : 1, ...body });
