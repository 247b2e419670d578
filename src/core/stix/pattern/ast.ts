// The tree of a STIX pattern (STIX 2.1 §9). Chains of AND, OR and FOLLOWEDBY are flat lists, so that a long
// pattern is wide and never deep.

export type Literal =
  | { readonly kind: 'string'; readonly value: string }
  /** Digits as written: a 64-bit integer does not fit a number. */
  | { readonly kind: 'int' | 'float' | 'hex' | 'binary' | 'timestamp'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean };

export type Step = { readonly kind: 'key'; readonly name: string } | { readonly kind: 'index'; readonly at: string };

export interface Path {
  readonly objectType: string;
  readonly steps: readonly Step[];
}

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'MATCHES' | 'ISSUBSET' | 'ISSUPERSET';

export type Test =
  | {
      readonly kind: 'compare';
      readonly path: Path;
      readonly negated: boolean;
      readonly operator: Operator;
      readonly value: Literal;
    }
  | { readonly kind: 'in'; readonly path: Path; readonly negated: boolean; readonly values: readonly Literal[] }
  | { readonly kind: 'exists'; readonly path: Path; readonly negated: boolean };

export type Comparison = Test | { readonly kind: 'and' | 'or'; readonly terms: readonly Comparison[] };

export type Qualifier =
  | { readonly kind: 'start-stop'; readonly start: string; readonly stop: string }
  | { readonly kind: 'within'; readonly seconds: string }
  | { readonly kind: 'repeats'; readonly times: string };

export type Observation =
  | { readonly kind: 'brackets'; readonly comparison: Comparison }
  | { readonly kind: 'and' | 'or' | 'followed-by'; readonly terms: readonly Observation[] }
  | { readonly kind: 'qualified'; readonly of: Observation; readonly qualifier: Qualifier };

export interface PatternFault {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}
