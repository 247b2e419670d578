// What a person types or pastes: often defanged, never with a type. For commands only; values from partners are
// read literally (canonical.ts).
import { canonical } from './canonical.ts';
import { OBSERVABLE_TYPES, type Observable } from './observable.ts';

/** Undoes the usual ways to make a value unclickable. */
export function refang(text: string): string {
  return text
    .trim()
    .replace(/^(?:hxxp|h\*\*p|meow)(s?)(?=\[?:)/i, 'http$1')
    .replace(/^fxp(?=\[?:)/i, 'ftp')
    .replace(/[[({](?:\.|dot)[\])}]/gi, '.')
    .replace(/[[({](:\/\/|:)[\])}]/g, '$1')
    .replace(/[[({](?:@|at)[\])}]/gi, '@');
}

/** Which observables a typed-in value may be, canonical, in the order of OBSERVABLE_TYPES. */
export function guess(text: string): Observable[] {
  const value = refang(text);
  const found: Observable[] = [];
  for (const type of OBSERVABLE_TYPES) {
    const spelled = canonical(type, value);
    if ('value' in spelled) found.push({ type, value: spelled.value });
  }
  // A digest looks like a name of one label, which nobody means.
  return found.some((one) => one.type.startsWith('file:')) ? found.filter((one) => one.type !== 'domain-name') : found;
}
