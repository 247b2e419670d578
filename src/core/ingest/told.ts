// What a person should hear of a poll that worked.

/** A feed of which nothing can ever stand on a watchlist looks like a quiet one. Undefined where indicators are known. */
export function tellIgnored(ignored: Readonly<Record<string, number>>, indicators: number): string | undefined {
  const count = Object.values(ignored).reduce((sum, n) => sum + n, 0);
  if (count === 0 || indicators > 0) return undefined;
  const types = Object.keys(ignored).sort();
  const named = `${types.slice(0, MOST_TYPES).join(', ')}${types.length > MOST_TYPES ? ', …' : ''}`;
  const came = count === 1 ? '1 object came and it is no indicator' : `${count} objects came and none is an indicator`;
  return `${came} (${named}); ask the partner which collection holds indicators`;
}

const MOST_TYPES = 5;
