// `simulate KIND`: one of the shipped simulators on loopback, until a signal. Prints one JSON line when it listens.
import { numberOf } from './args.ts';
import type { Command } from './command.ts';
import { DONE, LEFT, USAGE } from './exit.ts';

const LATER = ['splunk', 'elastic', 'qradar', 'taxii', 'misp'];

export const simulate: Command = {
  name: 'simulate',
  summary: 'Runs a simulated peer on loopback: splunk, elastic, qradar, taxii or misp.',
  usage:
    'simulate KIND [--port N] [--data PATH] [--faults SPEC] [--tls] [--seed TEXT] [--splunk-version N.N.N] [--api-version V]',
  example: 'entente simulate taxii --port 8800 --data ./bundles',
  mostArgs: 1,
  words: LATER,
  flags: {
    port: { type: 'string', value: 'N', help: 'Port; 0, the default, takes a free one.' },
    data: { type: 'string', value: 'PATH', help: 'STIX bundles to serve, a file or a folder.' },
    faults: {
      type: 'string',
      value: 'SPEC',
      help: 'Faults as JSON: [{"match":"/objects/","action":"status","status":503,"times":3}].',
    },
    tls: { type: 'boolean', help: 'HTTPS instead of plain HTTP.' },
    'api-version': { type: 'string', value: 'V', help: 'Newest API version of a simulated QRadar; 26.0 by default.' },
    seed: { type: 'string', value: 'TEXT', help: 'Seed of generated values, for the same ones again.' },
    'splunk-version': { type: 'string', value: 'N.N.N', help: 'Splunk version to play; its limits follow it.' },
  },
  async run({ parts, args, flags, out, signal }) {
    const [kind] = args;
    const known = Object.keys(parts.simulators);
    const start = kind === undefined ? undefined : parts.simulators[kind];
    if (kind === undefined || start === undefined) {
      const later = kind !== undefined && LATER.includes(kind);
      out.note(
        later
          ? `not yet: simulate ${kind}; there is ${known.join(', ') || 'none'}`
          : `simulate needs one kind: ${known.join(', ') || 'none is built in'}`,
      );
      return USAGE;
    }
    const port = numberOf(flags['port'], 0);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      out.note('--port needs a number from 0 to 65535');
      return USAGE;
    }
    const text = (name: string) => (typeof flags[name] === 'string' ? { [name]: flags[name] } : {});
    const given = {
      port,
      tls: flags['tls'] === true,
      ...text('data'),
      ...text('faults'),
      ...text('seed'),
      ...(typeof flags['splunk-version'] === 'string' ? { splunkVersion: flags['splunk-version'] } : {}),
      ...(typeof flags['api-version'] === 'string' ? { apiVersion: flags['api-version'] } : {}),
    };
    let simulator: Awaited<ReturnType<typeof start>>;
    try {
      simulator = await start(given);
    } catch (error) {
      // All it can fail at is what it was given: a port that is taken, data or faults it cannot read.
      out.note(`simulate ${kind}: ${error instanceof Error ? error.message : String(error)}`);
      return error instanceof Error && 'syscall' in error && error.syscall === 'listen' ? LEFT : USAGE;
    }
    try {
      out.json({ kind, ...simulator.line });
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      await simulator.close();
    }
    return DONE;
  },
};
