// Logging: a constant sentence, facts as fields. winston lives here alone.
import winston from 'winston';
import { showingHidden } from '../model/text.ts';

type Fields = { readonly [name: string]: unknown };

/** error = a person must act or data is lost; warn = it will heal; info = a state changed; debug may name indicator values. */
export interface Log {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  child(fields: Fields): Log;
}

export interface RootLog extends Log {
  setLevel(level: string): void;
  /** Resolves when everything logged so far was handed to the stream. */
  close(): Promise<void>;
}

const SECRET_NAME = /(passw|secret|token|api_?key|authorization|passphrase|cookie|^key$|^sec$)/i;
/** What libraries put into texts: credentials in a URL, and the value of an authorization header. */
const SECRET_TEXT = /(\/\/[^\s/:@]*:)[^\s/@]+@|\b(Bearer|Basic|Splunk|ApiKey)\s+[A-Za-z0-9+/=._~-]{6,}/g;
const REDACTED = '[redacted]';

/** Hidden characters of whoever wrote it are spelled out: here nothing may get lost, and nothing may look like another. */
function withoutSecrets(given: string): string {
  const text = given.split('\n').map(showingHidden).join('\n');
  return text.replace(SECRET_TEXT, (_, before?: string, scheme?: string) =>
    before === undefined ? `${scheme} ${REDACTED}` : `${before}${REDACTED}@`,
  );
}

/** Any value as JSON: errors as {message, stack}, secrets masked by name and by look, at any depth. Never throws. */
function cleaned(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth > 5) return '[deep]';
  if (value instanceof Error) {
    return {
      message: withoutSecrets(value.message),
      stack: withoutSecrets(value.stack ?? ''),
      ...(value.cause === undefined ? {} : { cause: cleaned(value.cause, depth + 1) }),
    };
  }
  if (value instanceof Set) return cleaned([...value], depth);
  if (value instanceof Map) return cleaned(Object.fromEntries(value), depth);
  if (Array.isArray(value)) return value.slice(0, 50).map((one) => cleaned(one, depth + 1));
  try {
    if ('toJSON' in value && typeof value.toJSON === 'function') return cleaned(value.toJSON(), depth + 1);
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [
        name,
        SECRET_NAME.test(name) && one !== undefined ? REDACTED : cleaned(one, depth + 1),
      ]),
    );
  } catch {
    return '[unreadable]'; // a getter threw; a log line must not bring down what it reports on
  }
}

/** One line stays one line, whatever a partner sent. JSON escapes these by itself. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function createLog(options: {
  level: string;
  format: 'json' | 'text';
  stream?: NodeJS.WritableStream;
  now?: () => number;
}): RootLog {
  const now = options.now ?? Date.now;
  const line =
    options.format === 'json'
      ? winston.format.printf(({ level, message, fields }) => {
          const head = { time: new Date(now()).toISOString(), level, message };
          return JSON.stringify({ ...head, ...(cleaned(fields) as object), ...head });
        })
      : winston.format.printf(({ level, message, fields }) => {
          const rest = Object.entries((cleaned(fields) ?? {}) as object)
            .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
            .join(' ');
          const text = `${level.toUpperCase().padEnd(5)} ${String(message)}${rest === '' ? '' : `  ${rest}`}`;
          return `${new Date(now()).toISOString()} ${oneLine(text)}`;
        });
  const stream = options.stream ?? process.stderr;
  let closing: Promise<void> | undefined;
  const logger = winston.createLogger({
    level: options.level,
    format: line,
    transports: [new winston.transports.Stream({ stream })],
  });
  const make = (context: Fields): Log => {
    const write = (level: string) => (message: string, fields?: Fields) => {
      if (closing === undefined && logger.isLevelEnabled(level))
        logger.log(level, message, { fields: { ...context, ...fields } });
    };
    return {
      error: write('error'),
      warn: write('warn'),
      info: write('info'),
      debug: write('debug'),
      child: (more) => make({ ...context, ...more }),
    };
  };
  return {
    ...make({}),
    setLevel: (level) => {
      logger.level = level;
    },
    close() {
      closing ??= new Promise<void>((resolve) => {
        // winston has handed on everything at `finish`; the empty write tells when the stream has passed it on.
        logger.once('finish', () => stream.write('', () => resolve()));
        logger.end();
      });
      return closing;
    },
  };
}

export const silentLog: Log = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLog,
};
