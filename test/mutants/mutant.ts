// A mutant is one deliberate fault: a rule taken out of the code at one place. A test that names the rule notices.

export interface Mutant {
  /** Text that stands in the file once. */
  readonly find: string;
  readonly put: string;
  /** The rule that is broken by it. */
  readonly rule: string;
  /** Test files that should notice, where they are others than those of the file. */
  readonly tests?: readonly string[];
  /** Why no test can notice, where none does: said beside the result. */
  readonly survives?: string;
}

/** Faults of one file, tried with the same test files. */
export interface Mutated {
  readonly file: string;
  readonly tests: readonly string[];
  readonly mutants: readonly Mutant[];
}

/** `store/rules` for the test file src/core/store/rules.test.ts; what begins with src/ or test/ stands for itself. */
export const testFile = (name: string): string => `${/^(src|test)\//.test(name) ? name : `src/core/${name}`}.test.ts`;
