// In front of Modern MISP: the filters of a search that it lacks, and events and attributes by uuid where it takes numbers
// alone. Each row comes from the server as it is, and is only chosen here; so what is held by this is the shape of its answers.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModernMisp } from './mmisp.ts';

interface Filter {
  readonly eventid?: string;
  readonly published?: number;
  readonly publish_timestamp?: number | readonly [number, number];
  readonly limit: number;
  readonly page: number;
}

interface Head {
  readonly Event: {
    readonly id: unknown;
    readonly uuid: string;
    readonly published: unknown;
    readonly publish_timestamp: unknown;
  };
}

export async function withFilters(server: ModernMisp): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const heads = async () =>
    (await server.call<{ response: Head[] }>('POST', 'events/restSearch', { returnFormat: 'json' })).response;

  async function events({ eventid, published, publish_timestamp: since, limit, page }: Filter): Promise<unknown> {
    const [from, until] = typeof since === 'object' ? since : [since ?? 0, Number.POSITIVE_INFINITY];
    const at = ({ Event }: Head) => Number(Event.publish_timestamp);
    const fit = (await heads()).filter(
      (one) =>
        (eventid === undefined || one.Event.uuid === eventid) &&
        (published === undefined || one.Event.published === true) &&
        at(one) >= from &&
        at(one) <= until,
    );
    return { response: fit.sort((a, b) => at(a) - at(b)).slice(limit * (page - 1), limit * page) };
  }

  async function attributes({ eventid, limit, page }: Filter): Promise<unknown> {
    const event = (await heads()).find(({ Event }) => Event.uuid === eventid);
    if (event === undefined) return { response: { Attribute: [] } };
    return await server.call('POST', 'attributes/restSearch', {
      returnFormat: 'json',
      eventid: Number(event.Event.id),
      limit,
      page,
    });
  }

  async function answered(method: string, path: string, body: string): Promise<unknown> {
    if (path === 'events/restSearch') return await events(JSON.parse(body) as Filter);
    if (path === 'attributes/restSearch') return await attributes(JSON.parse(body) as Filter);
    // Its route for uuids lacks `add`, and its answer the word before it.
    const [, attribute] = /^sightings\/add\/([0-9a-f-]{36})$/.exec(path) ?? [];
    if (attribute !== undefined) return { Sighting: await server.call('POST', `sightings/${attribute}`) };
    return await server.call(method as 'GET' | 'POST', path, body === '' ? undefined : JSON.parse(body));
  }

  const front = createServer((request, response) => {
    void (async () => {
      const path = (request.url ?? '/').slice(1);
      try {
        const text = JSON.stringify(await answered(request.method ?? 'GET', path, await bodyOf(request)));
        response.writeHead(200, { 'content-type': 'application/json' }).end(text);
      } catch (error) {
        const [, status] = /: (\d{3}) /.exec(String(error)) ?? [];
        response.writeHead(Number(status ?? 500), { 'content-type': 'application/json' }).end('{}');
      }
    })();
  });
  await new Promise<void>((listening) => front.listen(0, '127.0.0.1', listening));
  const { port } = front.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: () => new Promise((stopped) => void front.close(() => stopped())),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
