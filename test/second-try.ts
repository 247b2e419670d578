/**
 * In the whole check a test may pass at a second try, and is named then (run-notes.ts): hundreds of tests wait for
 * processes and clocks of a shared machine. A property that found a counterexample gets none, and at the desk nothing does.
 */
export const secondTry = process.env['CI'] === undefined ? 0 : { count: 1, condition: /^(?!Property failed)/ };
