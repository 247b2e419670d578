// A TAXII server of one collection whose page of objects is given byte by byte, for what no decent server sends.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RawPartner {
  readonly url: string;
  page: Buffer | string;
  readonly headers: Record<string, string>;
  status: number;
  /** What it says of its one collection beside the id. */
  collection: object;
  root: object;
  asked: number;
  close(): Promise<void>;
}

const COLLECTION = '91a7b528-80eb-42ed-a74d-c6fbd5a26116';

export async function rawPartner(page: Buffer | string = '{"objects":[]}'): Promise<RawPartner> {
  const partner: RawPartner = {
    url: '',
    page,
    headers: {},
    status: 200,
    root: { title: 'Partner', versions: ['application/taxii+json;version=2.1'], max_content_length: 1000 },
    collection: { title: 'Indicators', can_read: true, can_write: false },
    asked: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = http.createServer((request, response) => {
    const path = request.url ?? '';
    const collection = { id: COLLECTION, ...partner.collection };
    const head = { 'content-type': 'application/taxii+json;version=2.1' };
    if (path.includes('/objects/')) {
      partner.asked++;
      response.writeHead(partner.status, { ...head, ...partner.headers }).end(partner.page);
    } else if (path.includes('/collections/')) {
      const one = path.includes(COLLECTION) ? collection : { collections: [collection] };
      response.writeHead(200, head).end(JSON.stringify(one));
    } else {
      response.writeHead(200, head).end(JSON.stringify(partner.root));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an AddressInfo, never a pipe name.
  return Object.assign(partner, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api1/` });
}
