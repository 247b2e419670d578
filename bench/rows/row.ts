import type { Bench } from '../bench.ts';

export interface Line {
  readonly what: string;
  /** What issue asks, in words. */
  readonly reach: string;
  readonly measured: string;
  readonly reached: boolean;
  /** How it was measured, under the table. */
  readonly detail: string;
}

export interface BenchRow {
  readonly name: string;
  run(bench: Bench): Promise<readonly Line[]>;
}

export const thousands = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
