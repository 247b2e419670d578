// `schema`: writes the generated files, the editor's JSON Schema and the settings page.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonSchemaText, settingsPage } from '../core/config/schema.ts';
import type { Registry } from '../core/config/settings.ts';
import type { Command } from './command.ts';
import { DONE } from './exit.ts';

/** What is generated and where it stands in the source tree; a test compares both. */
export function generatedFiles(registry: Registry): readonly { readonly path: string; readonly text: string }[] {
  const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  return [
    { path: at('config/entente.schema.json'), text: jsonSchemaText(registry) },
    { path: at('docs/configuration.md'), text: settingsPage(registry) },
  ];
}

export const schema: Command = {
  name: 'schema',
  summary: 'Writes config/entente.schema.json and docs/configuration.md from the schemas.',
  usage: 'schema',
  example: 'npm run schema',
  flags: {},
  hidden: true,
  async run({ parts, out }) {
    for (const { path, text } of generatedFiles(parts.registry)) {
      writeFileSync(path, text);
      out.note(`wrote ${path}`);
    }
    return DONE;
  },
};
