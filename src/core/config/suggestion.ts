// "Did you mean …": the known word that is nearest to a mistyped one.

/** What others call it. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  white: 'clear',
  'dry-run': 'shadow',
  dry_run: 'shadow',
  opensearch: 'elastic',
  elasticsearch: 'elastic',
  ip: 'ipv4-addr',
  email: 'email-addr',
  hostname: 'domain-name',
  fatal: 'error',
  trace: 'debug',
  remove: 'withdraw',
  delete: 'withdraw',
  reject: 'refuse',
  deny: 'refuse',
  ignore: 'note',
  local: 'on_premises',
  saas: 'cloud',
  off: 'never',
};

export function suggestion(given: string, known: readonly string[]): string | undefined {
  const word = given.toLowerCase().replace(/^tlp[:_-]/, '');
  const other = Object.hasOwn(OTHER_NAMES, word) ? OTHER_NAMES[word] : undefined;
  if (other !== undefined && known.includes(other)) return other;
  return nearest(word, known) ?? beginning(word, known);
}

/** `warning` for warn, `ipv4` for ipv4-addr. */
function beginning(given: string, known: readonly string[]): string | undefined {
  const found = known.filter((word) => {
    const other = word.toLowerCase();
    // Others write it with a dash, a blank or in one word, or with something before it (`NATO SECRET`).
    const [plain, said] = [other.replace(/[_ -]/g, ''), given.replace(/[_ -]/g, '')];
    const fits = plain.startsWith(said) || said.startsWith(plain) || given.split(/[^a-z0-9_+]+/).includes(other);
    return Math.min(said.length, plain.length) >= 3 && fits;
  });
  return found.length === 1 ? found[0] : undefined;
}

function nearest(given: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(given.length / 3));
  let best: { word: string; distance: number } | undefined;
  for (const word of known) {
    const far = distance(given, word.toLowerCase());
    if (far <= limit && (best === undefined || far < best.distance)) best = { word, distance: far };
  }
  return best?.word;
}

/** Edits between two words; two neighbouring letters swapped count as one. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8 || a.length > 64) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
