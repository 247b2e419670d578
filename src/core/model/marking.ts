// TLP says who may know, PAP what may be done. Both are ordered: a higher number is stricter.

export const TLP_LEVELS = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const;
export type Tlp = (typeof TLP_LEVELS)[number];

export const PAP_LEVELS = ['clear', 'green', 'amber', 'red'] as const;
export type Pap = (typeof PAP_LEVELS)[number];

/** Of NATO and the EU, whose levels correspond. A higher one is stricter. */
export const CLASSIFICATIONS = ['unclassified', 'restricted', 'confidential', 'secret', 'top_secret'] as const;
export type Classification = (typeof CLASSIFICATIONS)[number];

export const classificationRank = (level: Classification): number => CLASSIFICATIONS.indexOf(level);

export function tlpRank(level: Tlp): number {
  return TLP_LEVELS.indexOf(level);
}

export function papRank(level: Pap): number {
  return PAP_LEVELS.indexOf(level);
}

export function stricterTlp(a: Tlp | undefined, b: Tlp | undefined): Tlp | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return tlpRank(a) >= tlpRank(b) ? a : b;
}

export function stricterPap(a: Pap | undefined, b: Pap | undefined): Pap | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return papRank(a) >= papRank(b) ? a : b;
}
