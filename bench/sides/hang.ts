// Three SIEMs and one exchange; how long until two of them hold everything while the third answers, or hangs.
import { feed } from '../../src/simulators/feed.ts';
import { threeSiems } from '../../test/builders/three-siems.ts';
import { say } from './open.ts';

const [how = 'answers', count = '20000'] = process.argv.slice(2);
const three = await threeSiems({ data: feed({ count: Number(count), irregular: 0, start: Date.now() - 86_400_000 }) });
if (how === 'hangs') three.qradar.setFaults([{ action: 'hang' }]);

const begin = performance.now();
const run = three.run().catch(() => {});
const polled = () => three.app.exchanges.get('partner')?.poller.history.lastSuccess !== undefined;
const full = (name: string) => {
  const siem = three.app.reader.siems().find((one) => one.name === name);
  return siem !== undefined && siem.wanted > 0 && siem.delivered === siem.wanted;
};
while (!(polled() && full('elastic') && full('splunk'))) await new Promise((go) => setTimeout(go, 20));
say({ ms: performance.now() - begin, entries: three.held().elastic.length });
// The third SIEM still hangs; nobody waits for it here.
void run;
process.exit(0);
