// Sightings as numbered files, for a network that is reached by a carrier or through a diode. A file appears whole under
// its name or not at all, and no number is given twice, whoever takes the files away: the other side may count them.
//
// Each number goes three steps: the file is written under a temporary name and flushed; the number is noted as given
// and flushed; the file is renamed. Whether the temporary file is still there tells, after a crash, how far it came.
import { join } from 'node:path';
import type { SendOutcome } from '../../../core/contracts/exchange-connector.ts';
import { configFailure, permanent, toFailure } from '../../../core/model/failure.ts';
import { uuidV5 } from '../../../core/model/digest.ts';
import type { Identity, Sighting } from '../../../core/model/sighting.ts';
import { buildIdentity, buildSighting, type StixOut } from '../../../core/stix/build.ts';
import { isRecord, isStixId } from '../../../core/stix/raw.ts';
import { codeOf, constants, type Disk, diskFailure, UNKNOWN } from './disk.ts';

const NAMED = /^sightings-(\d{6,15})\.json$/;
const BEGUN = /^\.sightings-(\d{6,15})\.json\.tmp$/;
/** The last number that was given. */
export const SEQUENCE = '.sightings-sequence';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MOST_OBJECTS = 500;
/** So many of the newest files are looked through for what may have been written already. */
const LOOKED_THROUGH = 20;
const NUMBERS = '5b1d9c51-5a2a-4d3c-8a53-7f1e6b2c9d10';

interface Outgoing {
  readonly sighting: Sighting;
  readonly object: StixOut;
}

export interface OutboxOf {
  readonly disk: Disk;
  readonly folder: string;
  /** "exchange low-side", for messages. */
  readonly who: string;
  readonly identity: Identity;
  readonly whereSighted: boolean;
}

export class Outbox {
  readonly #of: OutboxOf;

  constructor(of: OutboxOf) {
    this.#of = of;
  }

  async probe(): Promise<string> {
    const { disk, folder } = this.#of;
    try {
      if (await this.#isThere()) await disk.access(folder, constants.W_OK);
      else await disk.access(join(folder, '..'), constants.W_OK);
      return `reports into ${folder}`;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async send(sightings: readonly Sighting[], stop: () => void): Promise<readonly SendOutcome[]> {
    const outcomes: SendOutcome[] = [];
    const outgoing = sightings.flatMap((sighting): Outgoing[] => {
      const object = this.#built(sighting);
      if (object !== undefined) return [{ sighting, object }];
      const why = `${this.#of.who}: STIX has no form for this (${sighting.kind} of ${sighting.objectId})`;
      outcomes.push({ uuid: sighting.uuid, kind: 'failed', failure: toFailure(permanent(why)) });
      return [];
    });
    let last: number;
    let fresh: readonly Outgoing[];
    try {
      last = await this.#recover();
      fresh = await this.#withoutThose(outgoing, last, outcomes);
    } catch (error) {
      throw this.#failure(error);
    }
    const bundles = divided(fresh);
    for (const [i, bundle] of bundles.entries()) {
      try {
        stop();
        await this.#write(++last, bundle);
        outcomes.push(...bundle.map(({ sighting }) => ({ uuid: sighting.uuid, kind: 'sent' }) as const));
      } catch (error) {
        const failure = this.#failure(error);
        if (outcomes.length === 0) throw failure;
        // What came before is told; the rest waits for what hinders it now.
        const rest = bundles.slice(i).flat();
        outcomes.push(
          ...rest.map(({ sighting: { uuid } }) => ({ uuid, kind: 'failed', failure: toFailure(failure) }) as const),
        );
        break;
      }
    }
    return outcomes;
  }

  /** MISP's own STIX names the indicator of an attribute by the attribute's uuid. */
  #built(sighting: Sighting): StixOut | undefined {
    const { objectId } = sighting;
    const id = UUID.test(objectId) ? `indicator--${objectId}` : objectId;
    if (!isStixId(id)) return undefined;
    return buildSighting({ ...sighting, objectId: id }, this.#of.identity, this.#of.whereSighted);
  }

  /** Ends what a crash interrupted. Returns the last number that was given. */
  async #recover(): Promise<number> {
    const { disk, folder } = this.#of;
    if (!(await this.#isThere())) await disk.mkdir(folder);
    const names = await disk.readdir(folder);
    const given = await this.#given();
    const numbers = names.flatMap((name) => NAMED.exec(name)?.[1] ?? []).map(Number);
    for (const name of names) {
      const begun = BEGUN.exec(name)?.[1];
      if (begun === undefined) continue;
      // Its number was noted, so that it is whole, and it was never to be seen.
      if (Number(begun) === given && !numbers.includes(given)) {
        await disk.rename(join(folder, name), join(folder, nameOf(given)));
        await this.#flushFolder();
      } else await disk.unlink(join(folder, name));
    }
    return Math.max(given, ...numbers);
  }

  async #given(): Promise<number> {
    const { disk, folder } = this.#of;
    try {
      const text = (await disk.readFile(join(folder, SEQUENCE), 'utf8')).trim();
      const number = Number(text);
      if (/^\d{1,15}$/.test(text) && Number.isSafeInteger(number)) return number;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 0;
      throw error;
    }
    throw configFailure(
      `${this.#of.who}: ${join(folder, SEQUENCE)} holds no number; write the last number that was given into it, or remove it where none was taken away`,
    );
  }

  async #write(number: number, bundle: readonly Outgoing[]): Promise<void> {
    const { disk, folder } = this.#of;
    const begun = join(folder, `.${nameOf(number)}.tmp`);
    const objects = [buildIdentity(this.#of.identity), ...bundle.map((one) => one.object)];
    const text = JSON.stringify(objects);
    const id = `bundle--${uuidV5(NUMBERS, `${number} ${text}`)}`;
    try {
      await this.#flushed(begun, `{"type":"bundle","id":"${id}","objects":${text}}\n`);
      await this.#flushed(join(folder, `${SEQUENCE}.tmp`), `${number}\n`);
    } catch (error) {
      // Half a file would only take the room that is missing.
      await disk.unlink(begun).catch(() => {});
      throw error;
    }
    await disk.rename(join(folder, `${SEQUENCE}.tmp`), join(folder, SEQUENCE));
    await this.#flushFolder();
    await disk.rename(begun, join(folder, nameOf(number)));
    await this.#flushFolder();
  }

  async #flushed(path: string, text: string): Promise<void> {
    const handle = await this.#of.disk.open(path, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** A name is on the disk when its folder is. Some network file systems cannot be asked for it. */
  async #flushFolder(): Promise<void> {
    const handle = await this.#of.disk.open(this.#of.folder, 'r');
    try {
      await handle.sync();
    } catch (error) {
      if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(error))) throw error;
    } finally {
      await handle.close();
    }
  }

  /** Of what was tried before, only what no file holds that is still here goes again. */
  async #withoutThose(
    outgoing: readonly Outgoing[],
    last: number,
    outcomes: SendOutcome[],
  ): Promise<readonly Outgoing[]> {
    if (!outgoing.some(({ sighting }) => (sighting.attempt ?? 0) > 0)) return outgoing;
    const standing = new Set<string>();
    for (let number = last; number > Math.max(0, last - LOOKED_THROUGH); number--)
      for (const one of await this.#objectsOf(number)) standing.add(versionOf(one));
    return outgoing.filter(({ sighting: { uuid, attempt }, object }) => {
      const stands = (attempt ?? 0) > 0 && standing.has(versionOf(object));
      if (stands) outcomes.push({ uuid, kind: 'sent' });
      return !stands;
    });
  }

  async #objectsOf(number: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { disk, folder } = this.#of;
    try {
      const bundle: unknown = JSON.parse(await disk.readFile(join(folder, nameOf(number)), 'utf8'));
      const objects = isRecord(bundle) ? bundle['objects'] : undefined;
      return Array.isArray(objects) ? objects.filter(isRecord) : [];
    } catch (error) {
      // It was taken away, or somebody else wrote it: then what it holds is sent again, under the same ids.
      if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return [];
      throw error;
    }
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#of.disk.stat(this.#of.folder);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  #failure(error: unknown): unknown {
    if (codeOf(error) === UNKNOWN) return error;
    return diskFailure(`${this.#of.who}: the outbox ${this.#of.folder}`, error, 'sightings are kept and tried again');
  }
}

const nameOf = (number: number): string => `sightings-${String(number).padStart(6, '0')}.json`;
const versionOf = (object: Readonly<Record<string, unknown>>): string =>
  `${String(object['id'])} ${String(object['modified'])}`;

/** Bounded, and of one marking each: whoever carries a file on need not look into it. */
function divided(outgoing: readonly Outgoing[]): Outgoing[][] {
  const byMarking = Map.groupBy(outgoing, ({ sighting }) => sighting.tlp);
  return [...byMarking.values()].flatMap((all) => {
    const parts: Outgoing[][] = [];
    for (let from = 0; from < all.length; from += MOST_OBJECTS) parts.push(all.slice(from, from + MOST_OBJECTS));
    return parts;
  });
}
