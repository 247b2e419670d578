// Three SIEMs and one exchange, all in processes of their own; how long until two of the SIEMs hold everything while
// the third answers, or hangs.
import { setTimeout as delay } from 'node:timers/promises';
import { runOnce } from '../../src/app/once.ts';
import { openApp, say } from './open.ts';

const LONGEST_MS = 10 * 60_000;
const [file = '', ...watched] = process.argv.slice(2);
const app = await openApp(file);

const begin = performance.now();
const run = runOnce(app, LONGEST_MS, new AbortController().signal).catch(() => {});
const polled = () => app.exchanges.get('partner')?.poller.history.lastSuccess !== undefined;
const of = (name: string) => app.reader.siems().find((one) => one.name === name);
const full = (name: string) => {
  const siem = of(name);
  return siem !== undefined && siem.wanted > 0 && siem.delivered === siem.wanted;
};
while (!(polled() && watched.every(full))) {
  if (performance.now() - begin > LONGEST_MS) throw new Error(`${watched.join(' and ')} were not full in time`);
  await delay(20);
}
say({ ms: performance.now() - begin, ...Object.fromEntries(watched.map((name) => [name, of(name)?.delivered ?? 0])) });
// The third SIEM may hang; nobody waits for it here.
void run;
process.exit(0);
