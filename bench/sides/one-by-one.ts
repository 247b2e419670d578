// The pusher that today's connectors are: one call for each indicator, one after the other, over one connection that
// is kept. Values of their own collection or set, which is made before anything is timed.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { say } from './open.ts';

const [kind = '', url = '', token = '', caFile = '', countText = ''] = process.argv.slice(2);
const count = Number(countText);
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(caFile) });

function call(method: string, path: string, type?: string, body?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(kind === 'splunk'
        ? { authorization: `Bearer ${token}` }
        : { SEC: token, version: '26.0', accept: 'application/json' }),
      ...(body === undefined || type === undefined
        ? {}
        : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    };
    const sent = request(url + path, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve();
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Pusher {
  readonly prepare: () => Promise<void>;
  readonly create: (value: string) => Promise<void>;
  readonly change: (value: string) => Promise<void>;
  readonly remove: (value: string) => Promise<void>;
}

const json = 'application/json';
const row = (value: string, confidence: number) =>
  JSON.stringify({ _key: value, ip: value, description: 'from the partner', confidence, weight: 1 });
const config = '/servicesNS/nobody/search/storage/collections/config';
const data = '/servicesNS/nobody/search/storage/collections/data/one_by_one';
const set = '/api/reference_data/sets';
const pushers: Readonly<Record<string, Pusher>> = {
  splunk: {
    prepare: () => call('POST', config, 'application/x-www-form-urlencoded', 'name=one_by_one'),
    create: (value) => call('POST', data, json, row(value, 50)),
    change: (value) => call('POST', `${data}/${value}`, json, row(value, 51)),
    remove: (value) => call('DELETE', `${data}/${value}`),
  },
  qradar: {
    prepare: () => call('POST', `${set}?name=one_by_one&element_type=IP`),
    create: (value) => call('POST', `${set}/one_by_one?value=${value}&source=first`),
    change: (value) => call('POST', `${set}/one_by_one?value=${value}&source=second`),
    remove: (value) => call('DELETE', `${set}/one_by_one/${value}`),
  },
};

const pusher = pushers[kind];
if (pusher === undefined) throw new Error(`no pusher for ${kind}`);
const values = Array.from({ length: count }, (_, i) => `198.19.${i >> 8}.${i & 255}`);
// Left by an earlier round at the same server.
await pusher.prepare().catch((error: unknown) => {
  if (!/409|1004|exist/.test(String(error))) throw error;
});
async function timed(step: (value: string) => Promise<void>): Promise<number> {
  const begin = performance.now();
  for (const value of values) await step(value);
  return performance.now() - begin;
}
say({
  createMs: await timed(pusher.create),
  changeMs: await timed(pusher.change),
  removeMs: await timed(pusher.remove),
});
agent.destroy();
