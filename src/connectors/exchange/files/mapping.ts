// Elements of a file become objects of ours, gathered into pages of bounded size.
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import type { AttributeRead } from '../../../core/misp/attribute.ts';
import { OTHER_CASE, readObject } from '../../../core/stix/objects.ts';
import { inBundle, isRecord } from '../../../core/stix/raw.ts';

const MOST_OBJECTS = 1_000;
/** Values that patterns name: each becomes rows. */
const MOST_NAMED = 20_000;
/** How deep bundles may stand in bundles. */
const MOST_NESTED = 4;

/** What came and does not fill a page yet. */
export class Gathered {
  objects: IncomingObject[] = [];
  refusals: ObjectRefusal[] = [];
  ignored: Record<string, number> = {};
  readonly notes = new Set<string>();
  #named = 0;
  /** Objects so far, over all pages, of whichever kind. */
  total = 0;
  /** An object came that nobody can name. */
  blind = false;
  readonly #mostObjects: number;

  constructor(mostObjects = MOST_OBJECTS) {
    this.#mostObjects = mostObjects;
  }

  get full(): boolean {
    return this.objects.length + this.refusals.length >= this.#mostObjects || this.#named >= MOST_NAMED;
  }

  get empty(): boolean {
    return this.objects.length + this.refusals.length === 0;
  }

  /** A STIX object, or a bundle of them. */
  take(value: unknown, specVersion: string | undefined, depth = 0): void {
    const objects = inBundle(value);
    if (objects !== undefined) {
      this.#bundle(objects, specVersionOf(isRecord(value) ? value : undefined) ?? specVersion, depth);
      return;
    }
    this.total++;
    const result = readObject(value, specVersion);
    if ('object' in result) {
      this.#keep(result.object);
      if (result.quirk !== undefined) this.notes.add(result.quirk);
    } else if ('refusal' in result) this.refuse(result.refusal);
    else {
      this.ignore(result.ignored);
      if (result.ignored.startsWith(OTHER_CASE))
        this.notes.add(`${result.ignored} is ignored; STIX writes types in small letters`);
    }
  }

  /** Of a MISP event. */
  attribute(read: AttributeRead): void {
    this.total++;
    if ('indicator' in read) this.#keep(read.indicator);
    else if ('refusal' in read) this.refuse(read.refusal);
    else this.ignore('deleted attribute');
  }

  refuse(refusal: ObjectRefusal): void {
    this.refusals.push(refusal);
    if (refusal.objectId === undefined) this.blind = true;
  }

  ignore(what: string): void {
    this.ignored[what] = (this.ignored[what] ?? 0) + 1;
  }

  next(): Pick<Gathered, 'objects' | 'refusals' | 'ignored'> {
    const { objects, refusals, ignored } = this;
    [this.objects, this.refusals, this.ignored, this.#named] = [[], [], {}, 0];
    return { objects, refusals, ignored };
  }

  #keep(object: IncomingObject): void {
    this.objects.push(object);
    if (object.kind === 'indicator') this.#named += object.observables.length;
  }

  /** A bundle has no meaning of its own: what it holds is read as if it stood there itself. */
  #bundle(objects: readonly unknown[], specVersion: string | undefined, depth: number): void {
    if (depth === MOST_NESTED) {
      this.total++;
      this.refuse({ objectId: undefined, reason: 'bundles stand in bundles, too deep' });
      return;
    }
    for (const one of objects) this.take(one, specVersion, depth + 1);
  }
}

/** Of a bundle of STIX 2.0; its objects do not say it themselves. */
export function specVersionOf(around: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const version = around?.['spec_version'];
  return typeof version === 'string' ? version : undefined;
}
