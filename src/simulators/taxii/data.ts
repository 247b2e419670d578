// What a simulator is filled with: objects or bundles in memory, or a file or folder of bundles.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StixBundle, StixObject } from '../stix-object.ts';
import { isStixObject } from './posts.ts';

export type TaxiiData = string | StixBundle | Iterable<StixObject | StixBundle>;

/** All objects in order. A folder is read file by file and by name, so that only one file is in memory at a time. */
export function* objectsOf(data: TaxiiData): Generator<StixObject> {
  if (typeof data === 'string') yield* fromPath(data);
  else if (Symbol.iterator in data) for (const one of data) yield* unwrapped(one);
  else yield* unwrapped(data);
}

/** A bundle, an envelope, a list of objects or one object. Throws when it is none of them. */
export function* unwrapped(value: unknown): Generator<StixObject> {
  if (Array.isArray(value)) {
    for (const one of value) yield* unwrapped(one);
  } else if (isContainer(value)) {
    yield* unwrapped(value.objects ?? []);
  } else if (isStixObject(value)) {
    yield value;
  } else {
    throw new Error('neither a STIX object nor a bundle');
  }
}

function isContainer(value: unknown): value is { readonly objects?: readonly unknown[] } {
  if (typeof value !== 'object' || value === null) return false;
  return ('type' in value && value.type === 'bundle') || (!('type' in value) && 'objects' in value);
}

function* fromPath(path: string): Generator<StixObject> {
  if (!statSync(path).isDirectory()) {
    yield* fromFile(path);
    return;
  }
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(jsonl?|stix2?)$/.test(name),
  );
  for (const name of files.sort()) yield* fromFile(join(path, name));
}

function* fromFile(path: string): Generator<StixObject> {
  const text = readFileSync(path, 'utf8');
  try {
    if (!path.endsWith('.jsonl')) yield* unwrapped(JSON.parse(text));
    else for (const line of text.split('\n')) if (line.trim() !== '') yield* unwrapped(JSON.parse(line));
  } catch (cause) {
    throw new Error(`${path} does not hold STIX objects`, { cause });
  }
}
