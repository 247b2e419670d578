// What a commit of pages came to.

export interface CommitReport {
  objects: number;
  created: number;
  changed: number;
  unchanged: number;
  revoked: number;
  /** Older than what is known, or after a revocation. */
  outdated: number;
  /** Same id and version with other content. */
  conflicting: number;
  /** Indicators of the exchange that are known, after this. */
  indicators: number;
  readonly refused: Record<string, number>;
  /** Classified above what any SIEM that listens may hold. */
  classified: number;
}

/** Under this what came again with other content is counted, beside what is ignored for its type. */
export const OTHER_CONTENT = 'ignored:other content in a known version';

export const emptyReport = (): CommitReport => ({
  objects: 0,
  created: 0,
  changed: 0,
  unchanged: 0,
  revoked: 0,
  outdated: 0,
  conflicting: 0,
  indicators: 0,
  refused: {},
  classified: 0,
});

export function countIn(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
