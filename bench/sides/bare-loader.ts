// The other side of delivery: bodies that lie ready in memory, posted over two connections, with no more of the
// answer asked for than whether anything failed.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { say, stopwatch } from './open.ts';

const CONNECTIONS = 2;
const [bodies = '', url = ''] = process.argv.slice(2);
const all = readFileSync(bodies);
let end = 0;
const waiting = (JSON.parse(readFileSync(`${bodies}.json`, 'utf8')) as number[]).map((length) => {
  end += length;
  return all.subarray(end - length, end);
});
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function post(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/_bulk?filter_path=errors`,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/x-ndjson', 'content-length': body.length },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const answer = Buffer.concat(parts).toString('utf8');
          if (response.statusCode === 200 && answer === '{"errors":false}') resolve();
          else reject(new Error(`${response.statusCode} ${answer.slice(0, 300)}`));
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

const stop = stopwatch();
await Promise.all(
  Array.from({ length: CONNECTIONS }, async () => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) await post(body);
  }),
);
say(stop());
agent.destroy();
