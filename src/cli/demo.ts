// The demo as a command. Its story brings the simulators along, which a daemon shall not hold.
import type { Command } from './command.ts';

export const demo: Command = {
  name: 'demo',
  summary:
    'Two simulated partners and three SIEMs with the real daemon between them, on loopback, in a temporary folder.',
  usage: 'demo [--once] [--data PATH]',
  example: 'entente demo --once',
  flags: {
    once: { type: 'boolean', help: 'Tell the story, print the summary and stop.' },
    data: { type: 'string', value: 'PATH', help: 'Real STIX bundles instead of the generated feed: a file or folder.' },
  },
  run: async (context) => (await import('./demo-story.ts')).tell(context),
};
