// Delivery of a state that is ingested and delivered nowhere: open, adopt, plan, intent, apply, acknowledge.
import { runOnce } from '../../src/app/once.ts';
import { openApp, say, stopwatch } from './open.ts';

const app = await openApp(process.argv[2] ?? '');
const stop = stopwatch();
const report = await runOnce(app, 60_000, new AbortController().signal);
const took = stop();
if (!report.complete) throw new Error(report.left.join('; '));
const [siem] = app.reader.siems();
say({ ...took, delivered: siem?.delivered ?? 0 });
await app.close();
