// The process's environment is read here and nowhere else.
import type { Environment } from './source.ts';

export function environment(): Environment {
  return process.env;
}
