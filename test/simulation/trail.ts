// What happened in a world, step by step and by value, for whoever reads a failure. It asks for nothing and takes no time,
// so that a seed goes as it would go without.
import { OBSERVABLE_TYPES, type ObservableType } from '../../src/core/model/observable.ts';
import type { MemorySiemStore } from '../contract/memory-siem.ts';
import type { Partner } from './partner.ts';

/** Of a value that a failure names: so many of the last things that were done about it. */
const TOLD = 20;

interface Around {
  readonly now: number;
  readonly boots: number;
  readonly partners: readonly Partner[];
  readonly rules: Readonly<Record<string, unknown>>;
  ask<R>(sql: string): R[];
}

export class Trail {
  readonly lines: string[] = [];
  /** What was done about each value, by SIEM and key; marks stand under no key. */
  readonly #stories = new Map<string, string[]>();
  readonly #world: Around;

  constructor(world: Around) {
    this.#world = world;
  }

  note(text: string): void {
    this.lines.push(`${this.#at()} ${text}`);
  }

  listen(name: string, store: MemorySiemStore): void {
    let marked = store.mark;
    store.hook = (call, when, batch) => {
      if (when !== 'after') return;
      if (call === 'writer' && store.mark !== marked) {
        marked = store.mark;
        this.#noteOf(`${name} `, `${marked?.boot} ${marked?.revision}`);
      }
      for (const { op, key, slot, revision } of batch?.changes ?? [])
        this.#noteOf(`${name} ${key}`, `${op} ${revision}, then ${store.rows.get(slot)?.revision ?? 'nothing'} there`);
    };
  }

  /** All that is known of the value that a failure names: what was done about it, and what the state holds of it. */
  storyOf(message: string): string[] {
    const name = Object.keys(this.#world.rules).find((one) => message.includes(`${one}: `));
    const key = /[a-z0-9-]+\|[^\s,:]+(?::\/\/[^\s,:]+)?/.exec(message)?.[0];
    if (name === undefined || key === undefined) return [];
    const told = (subject: string) => (this.#stories.get(subject) ?? []).slice(-TOLD);
    return [
      `marks at ${name}:`,
      ...told(`${name} `),
      // Keys that some products cannot tell apart, with it.
      ...[...this.#stories.keys()]
        .filter((subject) => subject.toLowerCase() === `${name} ${key}`.toLowerCase())
        .flatMap((subject) => [`${subject.slice(name.length + 1)} at ${name}:`, ...told(subject)]),
      'in the state:',
      ...this.#rowsOf(key),
      'published:',
      ...this.#publishedOf(key),
    ];
  }

  #rowsOf(key: string): string[] {
    const [type, value] = [key.slice(0, key.indexOf('|')), key.slice(key.indexOf('|') + 1)];
    const entry = `(SELECT id FROM entry WHERE type = ${OBSERVABLE_TYPES.indexOf(type as ObservableType)} AND value = '${value}')`;
    return [
      `SELECT p.* FROM projection p WHERE p.entry_id = ${entry}`,
      `SELECT o.* FROM object o JOIN contribution c ON c.object_id = o.id WHERE c.entry_id = ${entry}`,
      `SELECT h.* FROM hold h JOIN projection p ON p.hold = h.id WHERE p.entry_id = ${entry}`,
      'SELECT id, name, adopted_at, repaired_at FROM siem',
    ].flatMap((sql) => this.#world.ask<object>(sql).map((row) => `  ${JSON.stringify(row)}`));
  }

  #publishedOf(key: string): string[] {
    const value = key.slice(key.indexOf('|') + 1);
    return this.#world.partners.flatMap((one) =>
      one.log
        .filter(({ observables }) => observables.some((found) => found.value === value))
        .map(({ objectId, version, revoked }) => `  ${objectId} ${version}${revoked ? ' revoked' : ''}`),
    );
  }

  #noteOf(subject: string, what: string): void {
    const story = this.#stories.get(subject) ?? [];
    this.#stories.set(subject, story);
    story.push(`${this.#at()} boot-${this.#world.boots} ${what}`);
  }

  #at(): string {
    return new Date(this.#world.now).toISOString();
  }
}
