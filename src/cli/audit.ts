// The command `audit`: whether the record is what was written, the record itself for those who check it, and another key.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checkpointFiles } from '../app/audit-log.ts';
import { siemConnector } from '../app/peers.ts';
import { storeSpec } from '../app/specs.ts';
import { fromBrief, parseCheckpoint, textOf } from '../core/audit/note.ts';
import { recordHash } from '../core/audit/record.ts';
import { bundle, hashTiles } from '../core/audit/tiles.ts';
import { inclusionProof, perfect, rangesOf } from '../core/audit/tree.ts';
import { type PlacedNote, RecordVerifier, type Verdict } from '../core/audit/verify.ts';
import { type Config, loadConfig } from '../core/config/load.ts';
import { ConnectorError, toFailure } from '../core/model/failure.ts';
import { silentLog } from '../core/runtime/log.ts';
import { RecordReader } from '../core/store/read/record.ts';
import type { Command, Context } from './command.ts';
import { doing, usage } from './doing.ts';
import { DONE, LEFT } from './exit.ts';
import { act, clockOf, hasStateOf } from './state.ts';
import { timeOf } from '../core/model/time-of.ts';
import { writeNew, writing } from './writing.ts';

const ASKING_MS = 20_000;
/** Records with a proof of their own; the others are proven together. */
const MOST_PROOFS = 10_000;
const BUNDLE = 256;

export const audit: Command = {
  name: 'audit',
  summary: 'Checks the record of what was armed, held, told and decided; exports it; changes its key.',
  usage: 'audit verify [--offline] | audit export [--since T] [--proofs FILE] [--tiles DIR] | audit rotate',
  example: 'entente audit verify',
  mostArgs: 1,
  words: ['verify', 'export', 'rotate'],
  flags: {
    offline: { type: 'boolean', help: 'Ask no SIEM for the checkpoint that stands there.' },
    since: { type: 'string', value: 'T', help: 'Only records from then on: 2026-11-28T06:00Z, or 90m, 6h, 2d.' },
    proofs: { type: 'string', value: 'FILE', help: 'The checkpoint and what proves the exported records under it.' },
    tiles: { type: 'string', value: 'DIR', help: 'The whole record as static files of the C2SP tlog-tiles layout.' },
    by: { type: 'string', value: 'NAME', help: 'Who asks, for the record; default the user.' },
  },
  run: (context) =>
    doing(context, async (config) => {
      const [verb] = context.args;
      if (verb !== 'verify' && verb !== 'export' && verb !== 'rotate')
        return usage(
          context,
          verb === undefined
            ? 'audit needs verify, export or rotate'
            : `audit ${verb} is no command; there is verify, export and rotate`,
        );
      if (!hasStateOf(config))
        throw new ConnectorError('permanent', `there is no state at ${config.state} yet; start with: entente run`);
      if (verb === 'rotate') return rotate(context, config);
      return verb === 'verify' ? verify(context, config) : exportRecords(context, config);
    }),
};

async function rotate(context: Context, config: Config): Promise<number> {
  const { key, old } = (await act(context, config, { kind: 'rotate-audit-key' })) as { key: string; old: string };
  if (context.json) context.out.json({ key, old });
  else {
    context.out.line(`The record is signed by another key from now on: ${key}`);
    context.out.line(`The one before signed the change and lies in ${old}; it signs nothing any more.`);
  }
  return DONE;
}

/** Where checkpoints were looked for, and what kept us from it. */
interface Place {
  readonly place: string;
  readonly checkpoints: number;
  readonly trouble: string | null;
}

async function verify(context: Context, config: Config): Promise<number> {
  const reader = new RecordReader(storeSpec(config));
  try {
    const origin = reader.origin ?? '';
    const places: Place[] = [];
    const notes: PlacedNote[] = [];
    const add = (place: string, found: readonly PlacedNote[], trouble: string | null) => {
      places.push({ place, checkpoints: found.length, trouble });
      notes.push(...found);
    };
    add('this state', reader.checkpoints(), null);
    add(config.audit.checkpoints, filesIn(config.audit.checkpoints), null);
    if (context.flags['offline'] !== true)
      for (const { place, found, trouble } of await siemsAsked(context, config, origin)) add(place, found, trouble);
    const verifier = new RecordVerifier(origin, notes, { prunedBelow: reader.prunedBelow, expected: reader.end });
    const progress = context.out.progress('Records checked', 'ifLong');
    let done = 0;
    for (const record of reader.records()) {
      verifier.add(record);
      done++;
      if (done % 1000 === 0) progress.at(done, () => reader.end.size);
    }
    progress.end();
    const verdict = verifier.end();
    if (context.json) context.out.json({ ...verdict, origin, places });
    else print(context, verdict, origin, places);
    return verdict.sound ? DONE : LEFT;
  } finally {
    reader.close();
  }
}

function print({ out }: Context, verdict: Verdict, origin: string, places: readonly Place[]): void {
  const { sound, size, root, problems, notes, agreed, agreedSize } = verdict;
  out.line(`${size} records of ${origin === '' ? 'a record that has no name yet' : origin}, root ${root}`);
  out.line(`${agreed} checkpoints agree${agreed === 0 ? '' : `, the newest over ${agreedSize} records`}:`);
  for (const { place, checkpoints, trouble } of places)
    out.line(`  ${place}: ${trouble === null ? `${checkpoints} found` : `not asked: ${trouble}`}`);
  // Of a broken record what follows may well have been signed, as something else.
  if (sound && agreedSize < size) out.line(`The last ${size - agreedSize} are signed with the next checkpoint.`);
  for (const note of notes) out.line(`Note: ${note}.`);
  for (const { says } of problems) out.line(`${out.colour('BROKEN', 'red')}: ${says}.`);
  out.line(sound ? out.colour('The record is sound.', 'green') : 'See docs/audit.md for what each of these can mean.');
}

function filesIn(folder: string): PlacedNote[] {
  return checkpointFiles(folder).map(({ file }) => ({
    place: join(folder, file),
    note: readFileSync(join(folder, file), 'utf8'),
  }));
}

interface Asked {
  readonly place: string;
  readonly found: readonly PlacedNote[];
  readonly trouble: string | null;
}

/** The checkpoint in the control record of each SIEM. One that cannot be asked is said, and is no fault of the record. */
async function siemsAsked(context: Context, state: Config, origin: string): Promise<Asked[]> {
  const { parts, env, configPath } = context;
  const answer = loadConfig(configPath, parts.registry, env);
  if ('problems' in answer)
    return state.siems.map(({ name }) => ({
      place: name,
      found: [],
      trouble: 'the configuration is not complete; see entente check',
    }));
  const { config } = answer;
  return Promise.all(
    config.siems.map(async ({ name }): Promise<Asked> => {
      try {
        const connector = await siemConnector(config, name, clockOf(config), silentLog, ASKING_MS);
        try {
          const mark = await connector.writer(
            undefined,
            AbortSignal.any([context.signal, AbortSignal.timeout(ASKING_MS)]),
          );
          const note =
            mark?.checkpoint === undefined ? [] : [{ place: name, note: fromBrief(mark.checkpoint, origin) }];
          return { place: name, found: note, trouble: null };
        } finally {
          await connector.close();
        }
      } catch (error) {
        return { place: name, found: [], trouble: toFailure(error).message };
      }
    }),
  );
}

async function exportRecords(context: Context, config: Config): Promise<number> {
  const { flags, out } = context;
  const now = clockOf(config).now();
  const since = typeof flags['since'] === 'string' ? timeOf(flags['since'], now) : 0;
  if (since === undefined || since > now)
    return usage(context, '--since needs a time that is past, such as 2026-11-28T06:00Z, or 90m, 6h, 2d');
  try {
    await act(context, config, { kind: 'checkpoint' });
  } catch (error) {
    // A copy of a state, or one that is not ours to write: the newest checkpoint that it has serves.
    out.note(`no new checkpoint was signed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const reader = new RecordReader(storeSpec(config));
  try {
    const from = reader.firstSince(since);
    const signed = reader.newest();
    const { tiles, proofs } = flags;
    if (typeof tiles === 'string') writing(tiles, () => writeTiles(resolve(tiles), reader, signed));
    if (typeof proofs === 'string') writing(proofs, () => writeProofs(resolve(proofs), reader, signed, from));
    // Whoever asked for files alone gets no million lines beside them.
    if (typeof tiles === 'string' && flags['since'] === undefined) return DONE;
    await out.parts(linesOf(reader, from));
    return DONE;
  } finally {
    reader.close();
  }
}

/** The record as it was hashed, with the rows that hang on it. */
function* linesOf(reader: RecordReader, from: number): Generator<string> {
  for (const { body, lines } of reader.records(from))
    yield lines === null ? `${body}\n` : `${body.slice(0, -1)},"rows":[${lines.replaceAll('\n', ',')}]}\n`;
}

type Signed = ReturnType<RecordReader['newest']>;

/** In one piece: 32 bytes each. */
function leavesOf(reader: RecordReader, size: number): Buffer {
  const leaves = Buffer.allocUnsafe(32 * size);
  let at = 0;
  for (const { body } of reader.records(0, size)) {
    recordHash(body).copy(leaves, at);
    at += 32;
  }
  return leaves.subarray(0, at);
}

/**
 * `before`: roots of the perfect subtrees over all records before the first exported one. A frontier that begins with them and
 * takes the leaf hash of each line comes to the root of the checkpoint.
 */
function writeProofs(file: string, reader: RecordReader, signed: Signed, from: number): void {
  if (signed === undefined)
    throw new ConnectorError('permanent', 'no checkpoint was signed yet; start with: entente run');
  const { size, note } = signed;
  const range = rangesOf(leavesOf(reader, size));
  let begin = 0;
  const before = perfect(Math.min(from, size)).map((width) => {
    begin += width;
    return range(begin - width, begin).toString('base64');
  });
  const inclusion: Record<string, string[]> = {};
  for (let seq = from; seq < Math.min(size, from + MOST_PROOFS); seq++)
    inclusion[seq] = inclusionProof(range, seq, size).map((one) => one.toString('base64'));
  const proofs = { checkpoint: note, key: reader.key ?? null, size, first: from, before, inclusion };
  mkdirSync(dirname(file), { recursive: true });
  const text = `${JSON.stringify(proofs)}\n`;
  if (existsSync(file)) writeFileSync(file, text);
  else writeNew(file, text);
}

function writeTiles(folder: string, reader: RecordReader, signed: Signed): void {
  if (signed === undefined)
    throw new ConnectorError('permanent', 'no checkpoint was signed yet; start with: entente run');
  const { size } = parseCheckpoint(textOf(signed.note)) ?? signed;
  const put = ({ path, bytes }: { readonly path: string; readonly bytes: Buffer }) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  };
  for (const tile of hashTiles(leavesOf(reader, size))) put(tile);
  let records: string[] = [];
  let index = 0;
  for (const { body } of reader.records(0, size)) {
    records.push(body);
    if (records.length < BUNDLE) continue;
    put(bundle(index++, records));
    records = [];
  }
  if (records.length > 0) put(bundle(index, records));
  // Last: who reads finds all that it speaks of.
  put({ path: 'checkpoint', bytes: Buffer.from(signed.note, 'utf8') });
}
