// fast-check as our tests use it. The whole check draws the same cases each time, so that a change is judged by what it
// changed; at the desk every run draws others, and a counterexample found there becomes a test of its own.
import fc from 'fast-check';

if (process.env['CI'] !== undefined) fc.configureGlobal({ seed: 20_261_129 });

export default fc;
