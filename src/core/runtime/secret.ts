// A secret never prints: not by toString, JSON, inspect or a template. It is revealed at the last moment, and
// a secret from a file is read again then, so that a renewed token is used without a restart.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

const REDACTED = '[redacted]';

export class Secret {
  readonly #read: () => string;
  readonly #file: string | undefined;

  private constructor(read: () => string, file?: string) {
    this.#read = read;
    this.#file = file;
  }

  static of(value: string): Secret {
    return new Secret(() => value);
  }

  /** One trailing line break is not part of the secret. Throws when the file cannot be read. */
  static file(path: string): Secret {
    return new Secret(() => readFileSync(path, 'utf8').replace(/\r?\n$/, ''), path);
  }

  /** Where it is read from, so that a change there can be noticed. */
  get file(): string | undefined {
    return this.#file;
  }

  reveal(): string {
    return this.#read();
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
