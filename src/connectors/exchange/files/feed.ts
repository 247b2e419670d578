// A MISP feed folder (MISP core format, "manifest"): `manifest.json` says which events are published, each in a file
// named by its uuid. A file of an event that the manifest does not name is no part of the feed any more, or not yet.
import { isRecord } from '../../../core/stix/raw.ts';

export const MANIFEST = 'manifest.json';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EVENT_FILE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$/i;
/** Beside the events: digests for another use, and signatures. */
const BESIDE = /^hashes\.csv$|\.asc$/i;

export function isManifest(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false;
  const names = Object.keys(value);
  return names.length > 0 && names.every((name) => UUID.test(name)) && Object.values(value).every(isRecord);
}

/** The events that a manifest names, in small letters; undefined for a text that is none. */
export function published(text: string): ReadonlySet<string> | undefined {
  try {
    // Read elsewhere than what the file itself is, which has its byte order mark taken away, too.
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return isManifest(value) || (isRecord(value) && Object.keys(value).length === 0)
      ? new Set(Object.keys(value).map((name) => name.toLowerCase()))
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a file of a feed folder is to be looked at. */
export function belongs(name: string, events: ReadonlySet<string>): boolean {
  if (BESIDE.test(name)) return false;
  const [, uuid] = EVENT_FILE.exec(name) ?? [];
  return uuid === undefined || events.has(uuid.toLowerCase());
}
