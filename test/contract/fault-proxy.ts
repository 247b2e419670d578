// Stands before a server: injects the faults that a real product gives only by bad luck, and lets a test read along.
import http from 'node:http';
import { type RunningSimulator, type SimRequest, type SimResponse, startServer } from '../../src/simulators/server.ts';

export function startFaultProxy(
  target: string,
  seen: (request: SimRequest) => void = () => {},
): Promise<RunningSimulator> {
  const handle = (request: SimRequest) => {
    seen(request);
    return forward(target, request);
  };
  return startServer({ handle, state: () => null });
}

function forward(target: string, request: SimRequest): Promise<SimResponse> {
  const query = request.query.toString();
  return new Promise((resolve, reject) => {
    const { host: _, connection: __, ...headers } = request.headers;
    const sent = http.request(
      new URL(`${request.path}${query === '' ? '' : `?${query}`}`, target),
      { method: request.method, headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const { 'transfer-encoding': _, connection: __, 'content-length': ___, ...rest } = answer.headers;
          const flat = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
          resolve({ status: answer.statusCode ?? 502, headers: flat, body: Buffer.concat(chunks) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(request.body);
  });
}
