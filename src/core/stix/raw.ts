// Reading fields of an object that a partner wrote. Whatever is not of the wanted kind reads as absent.
import { withoutHidden } from '../model/text.ts';

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a bundle holds, in whatever letters it says that it is one; undefined for all else. */
export function inBundle(value: unknown): readonly unknown[] | undefined {
  if (!isRecord(value)) return undefined;
  const { type, objects } = value;
  const isBundle = typeof type === 'string' && type.trim().toLowerCase() === 'bundle';
  return isBundle && Array.isArray(objects) ? objects : undefined;
}

const STIX_ID = /^[a-z][a-z0-9-]{0,249}--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

const UUID_LENGTH = 36;

/** Real ids break the UUID version rules, so only the form counts. */
export function isStixId(value: unknown, type?: string): value is string {
  if (typeof value !== 'string' || !STIX_ID.test(value)) return false;
  return type === undefined || (value.length === type.length + UUID_LENGTH + 2 && value.startsWith(type));
}

/** As it is kept: the UUID says the same in capitals (RFC 9562), and an object must not be two, or its withdrawal be lost. */
export const spelledId = (id: string): string => id.toLowerCase();

/** Text for people: hidden characters removed (a line break leaves a space), cut to `max`. Undefined when nothing is left. */
export function cleanText(value: unknown, max: number): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  // Cut first, generously, so that a text of megabytes costs no more than a short one.
  let text = value.length > 4 * max ? value.slice(0, 4 * max) : value;
  text = withoutHidden(text).trim();
  if (text.length > max) text = text.slice(0, max);
  if (!text.isWellFormed()) text = text.replace(/[\ud800-\udbff]$/, '').toWellFormed();
  return text === '' ? undefined : text;
}

/** At most `count` clean texts of a list; undefined when there is none. */
export function cleanTexts(value: unknown, count: number, max: number): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts: string[] = [];
  for (const one of value) {
    if (texts.length === count) break;
    const text = cleanText(one, max);
    if (text !== undefined) texts.push(text);
  }
  return texts.length === 0 ? undefined : texts;
}
