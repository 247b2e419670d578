// Names of the public interface that belong to a later release. They are refused as "not yet": a setting that is
// read and ignored would look like a promise. A name leaves this list when the schema knows it, and is only
// looked up for what the schema does not know.
import type { Path } from './source.ts';

const LATER: Readonly<Record<string, string>> = {};

/** With what a name comes, or undefined when nothing of the kind is planned. */
export function reservedFor(path: Path): string | undefined {
  const name = path.filter((part) => typeof part === 'string').join('.');
  return Object.hasOwn(LATER, name) ? LATER[name] : undefined;
}
