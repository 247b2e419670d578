// Logging: a constant sentence, facts as fields. winston lives here alone.
import winston from 'winston';

export type Fields = { readonly [name: string]: unknown };

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

/** Errors become {message, stack}; values under names that speak of secrets are masked, at any depth. */
function cleaned(value: unknown, depth = 0): unknown {
  if (value instanceof Error) {
    return {
      message: value.message,
      stack: value.stack,
      ...(value.cause === undefined ? {} : { cause: cleaned(value.cause, depth + 1) }),
    };
  }
  if (value === null || typeof value !== 'object' || depth > 5)
    return typeof value === 'bigint' ? String(value) : value;
  if (Array.isArray(value)) return value.slice(0, 50).map((one) => cleaned(one, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      SECRET_NAME.test(name) && one !== undefined ? '[redacted]' : cleaned(one, depth + 1),
    ]),
  );
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
      ? winston.format.printf(({ level, message, fields }) =>
          JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...(cleaned(fields) as object) }),
        )
      : winston.format.printf(({ level, message, fields }) => {
          const rest = Object.entries((cleaned(fields) ?? {}) as object)
            .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
            .join(' ');
          return `${new Date(now()).toISOString()} ${level.toUpperCase().padEnd(5)} ${String(message)}${rest === '' ? '' : `  ${rest}`}`;
        });
  const logger = winston.createLogger({
    level: options.level,
    format: line,
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stderr })],
  });
  const make = (context: Fields): Log => {
    const write = (level: string) => (message: string, fields?: Fields) => {
      if (logger.isLevelEnabled(level)) logger.log(level, message, { fields: { ...context, ...fields } });
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
    close: () =>
      new Promise<void>((resolve) => {
        logger.once('finish', () => resolve());
        logger.end();
      }),
  };
}

export const silentLog: Log = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLog,
};
