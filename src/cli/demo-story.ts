// `demo`: two partners and three SIEMs that are simulated, the real daemon between them, and a story in a few steps that
// a newcomer can follow: a first sync, a day later, an outage, a hit whose sighting goes back.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from '../app.ts';
import { startDaemon } from '../app/daemon.ts';
import { Front } from '../app/front.ts';
import { runOnce } from '../app/once.ts';
import { type Config, loadConfig } from '../core/config/load.ts';
import { problemLine } from '../core/config/source.ts';
import { shiftedClock, systemClock } from '../core/runtime/clock.ts';
import { createLog } from '../core/runtime/log.ts';
import { startElastic } from '../simulators/elastic/index.ts';
import { startQradar } from '../simulators/qradar/index.ts';
import { startSplunk } from '../simulators/splunk/index.ts';
import { feed } from '../simulators/feed.ts';
import { startMisp } from '../simulators/misp/index.ts';
import type { StixObject } from '../simulators/stix-object.ts';
import { objectsOf } from '../simulators/taxii/data.ts';
import { startTaxii } from '../simulators/taxii/index.ts';
import type { Context } from './command.ts';
import { campaign, seeOne, takeBackOne, toldTo } from './demo-misp.ts';
import { ELASTIC_INDEX, type Partners, type Simulated, type Stage } from './demo-stage.ts';
import { summary } from './demo-summary.ts';
import { DONE, LEFT, USAGE } from './exit.ts';
import { printStatus } from './status.ts';
import { inTemporary } from './writing.ts';

const DAY_MS = 86_400_000;
const COUNT = 3000;
const PATIENCE_MS = 30_000;

export async function tell(context: Context): Promise<number> {
  const { flags, out } = context;
  const path = typeof flags['data'] === 'string' ? flags['data'] : undefined;
  let days: StixObject[][];
  let start: number | undefined;
  try {
    ({ days, start } = path === undefined ? generated() : given(path));
  } catch (error) {
    out.note(`--data ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return USAGE;
  }
  return inTemporary('demo', (folder) => toldIn(folder, context, days, start));
}

async function toldIn(
  folder: string,
  context: Context,
  days: StixObject[][],
  start: number | undefined,
): Promise<number> {
  const { flags, out } = context;
  const log = createLog({ level: 'error', format: 'text', stream: process.stderr });
  const clock = start === undefined ? systemClock : shiftedClock(start);
  const partners = {
    taxii: await startTaxii({ data: days[0] ?? [], clock: () => clock.now() }),
    misp: await startMisp({ data: campaign(clock.now()), clock: () => clock.now() }),
  };
  const sims = {
    elastic: await startElastic({ clock }),
    splunk: await startSplunk({ clock }),
    qradar: await startQradar({ clock }),
  };
  try {
    const config = configure(context, folder, partners, sims, start);
    if (config === undefined) return USAGE;
    const app = await App.open({ config, log, version: context.parts.version });
    const stage = { config, partners, sims, app };
    try {
      if (start !== undefined)
        out.line(`The newest object is old, so the clock of this demo stands at ${new Date(start).toISOString()}.\n`);
      const whole = await story(context, stage, days);
      if (flags['once'] === true || context.signal.aborted) return whole ? DONE : LEFT;
    } catch (error) {
      await app.close();
      throw error;
    }
    return await stay(context, stage);
  } finally {
    for (const one of [...Object.values(sims), ...Object.values(partners)]) await one.close();
    await log.close();
  }
}

/** A feed of today: yesterday's indicators, and today's changes of them. */
function generated(): { days: StixObject[][]; start: undefined } {
  const start = systemClock.now() - 2 * DAY_MS;
  return { days: [0, 1].map((day) => [...feed({ count: COUNT, day, start })]), start: undefined };
}

/** A feed of the past is shown at the time of its newest object; one of today at today. */
function given(path: string): { days: StixObject[][]; start: number | undefined } {
  const objects = [...objectsOf(path)];
  const newest = objects.reduce((latest, { modified }) => {
    const time = typeof modified === 'string' ? Date.parse(modified) : Number.NaN;
    return Number.isNaN(time) ? latest : Math.max(latest, time);
  }, 0);
  const old = newest > 0 && systemClock.now() - newest > DAY_MS;
  return { days: [objects], start: old ? newest + 60_000 : undefined };
}

function configure(
  context: Context,
  folder: string,
  { taxii, misp }: Partners,
  sims: Simulated,
  start: number | undefined,
): Config | undefined {
  const file = join(folder, 'entente.yaml');
  writeFileSync(
    file,
    `instance: demo
identity: { id: identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11, name: Demo SOC }
state: ${JSON.stringify(join(folder, 'entente.db'))}
listen: 127.0.0.1:0
log: { level: error, format: text }
exchanges:
  - name: partner
    type: taxii21
    url: ${taxii.apiRoot}
    collections: [${taxii.collections.read}]
    auth: { username: ${taxii.username}, password: "\${DEMO_PASSWORD}" }
    schedule: "*/20 * * * * *"
  - name: misp-partner
    type: misp
    url: ${misp.url}
    auth: { key: "\${MISP_KEY}" }
    schedule: "*/20 * * * * *"
    report: true
release:
  - { to: misp-partner, tlp: [clear, green], action: share }
siems:
  - name: elastic
    type: elastic
    url: ${sims.elastic.url}
    auth: { api_key: "\${ELASTIC_KEY}" }
  - name: splunk
    type: splunk
    url: ${sims.splunk.url}
    auth: { token: "\${SPLUNK_TOKEN}" }
  - name: qradar
    type: qradar
    url: ${sims.qradar.url}
    auth: { token: "\${QRADAR_TOKEN}" }
# The demo's values are from ranges for documentation.
policy: { never_block: { list_actions: { documentation: note } } }
`,
  );
  const env = {
    DEMO_PASSWORD: taxii.password,
    MISP_KEY: misp.key,
    ELASTIC_KEY: sims.elastic.apiKey,
    SPLUNK_TOKEN: sims.splunk.token,
    QRADAR_TOKEN: sims.qradar.token,
    ...(start === undefined ? {} : { ENTENTE_CLOCK: new Date(start).toISOString() }),
  };
  const answer = loadConfig(file, context.parts.registry, env);
  if ('config' in answer) return answer.config;
  for (const problem of answer.problems) context.out.note(problemLine(problem));
  return undefined;
}

async function story(context: Context, stage: Stage, days: readonly StixObject[][]): Promise<boolean> {
  const { out, signal } = context;
  const { app, partners, sims } = stage;
  const { taxii, misp } = partners;
  const step = (title: string) => out.line(`${out.colour('●', 'green')} ${title}`);

  step(`A TAXII partner publishes ${days[0]?.length ?? 0} objects, a MISP partner an event; Entente arms three SIEMs.`);
  const first = await runOnce(app, PATIENCE_MS, signal);
  out.line(`  ${counts(stage)}`);

  const next = days[1];
  if (next !== undefined) {
    const revoked = next.filter((one) => one['revoked'] === true).length;
    step(`A day later the first revokes ${revoked} indicators, changes some and adds new ones.`);
    taxii.load(next);
    await runOnce(app, PATIENCE_MS, signal);
    out.line(`  ${counts(stage)}`);
  }

  step('The MISP partner deletes an attribute of its event.');
  takeBackOne(misp);
  await runOnce(app, PATIENCE_MS, signal);
  out.line(`  ${counts(stage)}`);

  step('Elastic fails three times while a value is suppressed; nothing is lost, and the others do not wait for it.');
  const sample = app.reader.sample('elastic');
  if (sample !== undefined) {
    sims.elastic.setFaults([{ match: '_bulk', action: 'status', status: 503, times: 3 }]);
    await app.store.suppress([sample], app.now() + DAY_MS, 'demo: our own scanner', 'demo', app.now());
    await runOnce(app, PATIENCE_MS, signal);
    out.line(`  ${sample.value} is off every list: ${counts(stage)}`);
  }

  const seen = seeOne(sims.elastic, ELASTIC_INDEX, app.now());
  if (seen !== undefined) {
    step(`Elastic sees ${seen} on a host of ours; a release rule allows the MISP partner to know of it.`);
    await runOnce(app, PATIENCE_MS, signal);
    out.line(`  ${toldTo(misp)}`);
  }

  step('Nothing new: a further run writes nothing.');
  const before = writes(sims);
  const last = await runOnce(app, PATIENCE_MS, signal);
  out.line(`  ${writes(sims) - before} writes to the SIEMs.`);
  out.line('');
  summary(context, stage);
  return first.complete && last.complete;
}

const WRITES = /_bulk|batch_save|set_entries|PATCH/;

const writes = (sims: Simulated): number =>
  Object.values(sims)
    .flatMap((one) => [...one.requests])
    .filter(([route]) => WRITES.test(route) && !route.startsWith('GET'))
    .reduce((sum, [, n]) => sum + n, 0);

/** Entries as the SIEMs hold them, counted past Entente. */
function held({ elastic, splunk, qradar }: Simulated): Record<string, number> {
  const lookups = ['ip', 'domain', 'url', 'email', 'file'].flatMap((family) => [
    ...splunk.documents('entente', `entente_${family}`).values(),
  ]);
  const sets = [...qradar.store.sets.values()].filter((set) => !set.name.endsWith('Control'));
  return {
    elastic: Object.keys(elastic.documents(ELASTIC_INDEX)).length,
    splunk: lookups.filter((row) => row['owner'] === 'entente:demo' && 'entry_key' in row).length,
    qradar: sets.reduce((sum, set) => sum + set.entries.size, 0),
  };
}

function counts({ app, sims }: Stage): string {
  const there = held(sims);
  return app.reader
    .siems()
    .map((siem) => `${siem.name} wants ${siem.wanted} and holds ${there[siem.name] ?? 0}`)
    .join('; ');
}

/** The daemon goes on until a signal, so that the status page can be looked at. */
async function stay(context: Context, { app, config }: Stage): Promise<number> {
  const front = new Front();
  const daemon = await startDaemon(app, { badReload: () => undefined, front, tried: new Set() });
  context.out.line('');
  printStatus(context.out, await app.status());
  context.out.line(`\nThe status page is at ${daemon.web.url} (instance ${config.instance}). Stop with Ctrl-C.`);
  try {
    await Promise.race([
      daemon.crashed,
      new Promise<void>((resolve) => {
        if (context.signal.aborted) resolve();
        context.signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    ]);
    return DONE;
  } finally {
    await daemon.stop('the demo ends');
    await front.close();
  }
}
