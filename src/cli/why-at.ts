// `why VALUE --at TIME`: was it armed then, where, since when and by whose word, by the record alone.
import { storeSpec } from '../app/specs.ts';
import type { Config } from '../core/config/load.ts';
import { guess } from '../core/model/typed-in.ts';
import { RecordReader, type StoodAt, type ValueAt } from '../core/store/read/record.ts';
import type { Context } from './command.ts';
import { DONE } from './exit.ts';
import { when } from './output.ts';

type Told = ValueAt & { readonly type: string; readonly value: string };

export function whyAt(context: Context, config: Config, value: string, time: number): number {
  const { json, out } = context;
  const reader = new RecordReader(storeSpec(config));
  try {
    const at = new Date(time).toISOString();
    const siems = config.siems.map(({ name }) => name);
    const entries = guess(value).map((one): Told => ({ ...one, ...reader.at(one, time, siems) }));
    if (json) out.json({ value, at, entries });
    else if (entries.length === 0)
      out.line(`${value} is no address, domain, URL, e-mail address or hash, so no list can hold it.`);
    else for (const one of entries) print(context, one, at);
    return DONE;
  } finally {
    reader.close();
  }
}

const WORDS: Readonly<Record<StoodAt['state'], string>> = {
  armed: 'armed',
  not_armed: 'not armed',
  unknown: 'unknown',
};

function print({ out }: Context, { value, type, siems, acts, untold }: Told, at: string): void {
  out.line(`${out.colour(value, 'bold')}  (${type}), at ${when(at)}`);
  out.line('');
  out.table(
    ['SIEM', 'STATE', 'SINCE', 'UNTIL', 'WHY', 'OBJECT', 'RECORD'],
    siems.map((one) => [
      one.siem,
      one.held === null ? WORDS[one.state] : `${WORDS[one.state]}, held`,
      when(one.since) ?? '',
      when(one.until) ?? '',
      one.reason ?? '',
      one.object === null ? '' : `${one.object}${one.marking === null ? '' : ` TLP:${one.marking.toUpperCase()}`}`,
      one.record === null ? '' : String(one.record),
    ]),
  );
  if (untold !== null) out.line(`\nMore cannot be told: ${untold}.`);
  for (const { record, at: then, action, by, detail } of acts) {
    const reason = typeof detail['reason'] === 'string' ? `: ${detail['reason']}` : '';
    out.line(`\n${when(then)}: ${action} by ${by}${reason} (record ${record})`);
  }
}
