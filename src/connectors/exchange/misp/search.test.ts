import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { never, testDeps } from '../../../../test/contract/exchange.ts';
import type { ScopeEnd } from '../../../core/contracts/exchange-connector.ts';
import { MispConfig } from './config.ts';
import { MispConnector } from './connector.ts';

const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

it('says which events of a list it passes over, and reads the others', async () => {
  const event = (n: number, timestamp: string) => ({
    Event: { uuid: uuidOf(n), info: 'x', published: true, timestamp, publish_timestamp: '1767225600' },
  });
  const rows = [
    { id: '1', uuid: uuidOf(9), type: 'ip-dst', to_ids: true, value: '198.51.100.9', timestamp: '1767225600' },
  ];
  const server = http.createServer((request, response) => {
    const answer = request.url?.includes('events/restSearch')
      ? { response: [event(1, '1767225600'), event(2, 'yesterday'), event(3, 'today')] }
      : { response: { Attribute: rows } };
    response.writeHead(200, { 'content-type': 'application/json', 'x-result-count': '1' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = MispConfig.parse({ type: 'misp', url, auth: { key: 'k' }, read: 'search' });
  const connector = new MispConnector(config, testDeps());
  onTestFinished(async () => {
    await connector.close();
    server.closeAllConnections();
    server.close();
  });
  const notes: (string | undefined)[] = [];
  const ended = (_scope: unknown, end: ScopeEnd) => void notes.push('note' in end ? end.note : undefined);
  const pages = [];
  const due = () => true;
  for await (const page of connector.pages(undefined, never, { now: () => Date.now(), due, ended })) pages.push(page);

  expect(pages.flatMap((page) => page.objects.map((one) => one.objectId))).toContain(uuidOf(9));
  expect([...pages.map((page) => page.warning), ...notes].join()).toContain(
    `2 events of the list cannot be read and are passed over, the first ${uuidOf(2)} (timestamp of the event is no time); tell the partner`,
  );
});
