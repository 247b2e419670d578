// Signs the record: a checkpoint while there is news, at start and at stop, into the state, into a folder, onto the log, and by
// way of the writer mark into each SIEM. The private key lies in a file of its own and never in the state, so that a copy of
// the state can be verified by anybody and signed by nobody.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { checkpointText, type Signer, signerOf, signNote } from '../core/audit/note.ts';
import { keyChange } from '../core/audit/verify.ts';
import type { Config } from '../core/config/load.ts';
import { ConnectorError } from '../core/model/failure.ts';
import { seed } from '../core/runtime/ids.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Metrics } from '../core/runtime/metrics.ts';
import type { RemoteStore } from '../core/store/remote.ts';

const PRIVATE = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})\s*$/;
const FOLDER_MODE = 0o700;

export class AuditLog {
  readonly #config: Config;
  readonly #store: RemoteStore;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #metrics: Pick<Metrics, 'audit'>;
  #signer: Signer | undefined;
  #origin = '';
  /** What was found wrong with the record, as it was said. */
  #told: string | null = null;
  /** One after the other: the loop, a command and the stop may ask at the same time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(config: Config, store: RemoteStore, log: Log, metrics: Pick<Metrics, 'audit'>, now: () => number) {
    this.#metrics = metrics;
    this.#config = config;
    this.#store = store;
    this.#log = log;
    this.#now = now;
  }

  /** Reads the key, or makes it; looks whether others know more of this record than the state does; signs. */
  open(): Promise<void> {
    return this.#exclusive(async () => {
      await this.#ready();
      await this.#compare();
      await this.#look();
      await this.#sign();
    });
  }

  /** False when there was nothing new to be signed. */
  checkpoint(): Promise<boolean> {
    return this.#exclusive(async () => {
      await this.#ready();
      await this.#look();
      return this.#sign();
    });
  }

  /** Another key, whose name the old one signs. */
  rotate(): Promise<{ readonly key: string; readonly old: string }> {
    return this.#exclusive(async () => {
      const before = await this.#ready();
      const { keyFile } = this.#config.audit;
      const next = signerOf(this.#origin, seed());
      // In this order a crash at any line leaves the key that the record names (#ready).
      writeFileSync(`${keyFile}.new`, spelled(next), { mode: 0o600 });
      const proof = signNote(keyChange(this.#origin, before.text, next.text), before);
      await this.#store.auditKey(next.text, proof, this.#now());
      const old = `${keyFile}.${before.id}.old`;
      renameSync(keyFile, old);
      renameSync(`${keyFile}.new`, keyFile);
      this.#signer = next;
      await this.#sign();
      return { key: next.text, old };
    });
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async #ready(): Promise<Signer> {
    if (this.#signer !== undefined) return this.#signer;
    const { instance, identity, audit } = this.#config;
    // Kept for the life of the record, whatever the configuration says later.
    const named = `${identity === undefined ? '' : `${identity.id}/`}entente/${instance}`;
    this.#origin = await this.#store.auditOrigin(named, this.#now());
    const { key } = await this.#store.auditHead();
    const signer = keyFrom(audit.keyFile, this.#origin, key) ?? made(audit.keyFile, this.#origin);
    if (key !== undefined && key !== signer.text)
      this.#log.warn('The key that signed the record before is gone; another one signs from now on.', {
        key: signer.text,
      });
    if (key !== signer.text) await this.#store.auditKey(signer.text, undefined, this.#now());
    this.#signer = signer;
    return signer;
  }

  /** Checkpoints in the folder that this state does not know: it was put back to an older one. */
  async #compare(): Promise<void> {
    const { checkpoints } = this.#config.audit;
    const { signed } = await this.#store.auditHead();
    const found = checkpointFiles(checkpoints)
      .filter(({ size }) => size > signed)
      .map(({ file }) => ({ place: file, note: readFileSync(join(checkpoints, file), 'utf8') }));
    if (found.length === 0) return;
    const lost = await this.#store.foundCheckpoints(found, this.#now());
    if (lost > 0)
      this.#log.error(
        'This state is older than the checkpoints that were signed over its record; the record says so from now on.',
        {
          checkpoints: lost,
          folder: checkpoints,
        },
      );
  }

  /** What is found broken is said once, and shown until it is mended. Work and signing go on. */
  async #look(): Promise<void> {
    const { sound, size, says } = await this.#store.checkRecord(this.#now());
    const { signedAt } = await this.#store.auditHead();
    this.#metrics.audit({ sound, records: size, signedAtMs: signedAt });
    if (!sound && this.#told !== says) this.#log.error('The record is not what was written.', { records: size, says });
    this.#told = says;
  }

  async #sign(): Promise<boolean> {
    const { size, root, signed } = await this.#store.auditHead();
    if (size === 0 || size === signed) return false;
    const note = signNote(checkpointText({ origin: this.#origin, size, root }), this.#signer!);
    const now = this.#now();
    await this.#store.keepCheckpoint(size, note, now);
    this.#metrics.audit({ sound: this.#told === null, records: size, signedAtMs: now });
    this.#keepFile(size, root, note);
    this.#log.info('The record was signed.', { size, root, checkpoint: note });
    return true;
  }

  /** Never over one that is there: the folder may be one that can be written once. */
  #keepFile(size: number, root: string, note: string): void {
    const { checkpoints } = this.#config.audit;
    const file = join(checkpoints, fileName(size, root));
    try {
      mkdirSync(checkpoints, { recursive: true, mode: FOLDER_MODE });
      if (!existsSync(file)) writeFileSync(file, note, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      // The state and each SIEM have it all the same.
      this.#log.warn('A checkpoint could not be written into the folder of checkpoints.', { file, error });
    }
  }
}

/** Sorts by size, and tells two records of one size apart. */
const fileName = (size: number, root: string): string =>
  `${String(size).padStart(12, '0')}-${Buffer.from(root, 'base64').toString('hex').slice(0, 12)}.txt`;

/** Smallest first; none where there is no such folder. */
export function checkpointFiles(folder: string): { readonly file: string; readonly size: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^\d{12}-[0-9a-f]{12}\.txt$/.test(file))
    .sort()
    .map((file) => ({ file, size: Number(file.slice(0, 12)) }));
}

/** As Go's note package spells a private key, so that other tools can use it. */
const spelled = ({ name, id, private: key }: Signer): string => {
  const bytes = key.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  return `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(1), bytes]).toString('base64')}\n`;
};

/** `named`: the key that the record names. Undefined where there is no file. */
function keyFrom(file: string, origin: string, named: string | undefined): Signer | undefined {
  const beside = `${file}.new`;
  if (existsSync(beside)) {
    // A change of keys was cut short: it happened if the record says so.
    const next = existsSync(beside) ? read(beside, origin) : undefined;
    if (next?.text === named) renameSync(beside, file);
    else rmSync(beside);
  }
  return existsSync(file) ? read(file, origin) : undefined;
}

function read(file: string, origin: string): Signer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    const mode = statSync(file).mode;
    if ((mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (error) {
    throw unusable(file, `cannot be read (${error instanceof Error ? error.message : String(error)})`, error);
  }
  const [, , id, coded] = PRIVATE.exec(text) ?? [];
  const bytes = Buffer.from(coded ?? '', 'base64');
  if (id === undefined || bytes.length !== 33 || bytes[0] !== 1)
    throw unusable(file, 'holds no key of ours; put the right file there, or move this one away and a new key is made');
  return signerOf(origin, bytes.subarray(1));
}

function made(file: string, origin: string): Signer {
  const signer = signerOf(origin, seed());
  try {
    mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
    writeFileSync(file, spelled(signer), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw unusable(file, `cannot be made (${error instanceof Error ? error.message : String(error)})`, error);
  }
  return signer;
}

const unusable = (file: string, why: string, cause?: unknown): ConnectorError =>
  new ConnectorError('config', `audit.key_file: ${file} ${why}`, { cause });
