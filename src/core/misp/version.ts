// MISP knows no version of an attribute, only when it was edited last. Yet what holds for it changes without an edit
// of its own: tags, sharing group and object are the event's. So a version is both, the attribute's own time first: its
// seconds, and as the fraction the edition of what surrounds it, which grows with every edit of the event. Lifetimes count
// from the seconds, so that an event which is edited every day does not keep its old attributes alive.
import { isoTime } from '../model/timestamp.ts';

/** Nine digits of seconds from 2010 on reach to 2041; what lies outside counts as the nearest that does not. */
const FIRST_EDITION = Date.UTC(2010, 0, 1) / 1000;
const LAST_DIGITS = 999_999_999;
/** The last second of the year 9999. */
const LAST_SECOND = 253_402_300_799;

/** Both in epoch seconds. */
export function versionOf(own: number, edition: number): string {
  const fraction = Math.min(LAST_DIGITS, Math.max(0, edition - FIRST_EDITION));
  return `${isoTime(Math.min(own, LAST_SECOND) * 1000).slice(0, 19)}.${String(fraction).padStart(9, '0')}Z`;
}
