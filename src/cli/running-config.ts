// What a running daemon runs with, read from its state, for when the file on disk is broken. Of the broken file only the
// place of the state is looked for.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, parseConfig } from '../core/config/load.ts';
import type { Registry } from '../core/config/settings.ts';
import type { Environment } from '../core/config/source.ts';
import { holderOf, rememberedIn } from '../core/store/state/open.ts';

export function runningConfig(configPath: string, registry: Registry, env: Environment): Config | undefined {
  const file = resolve(configPath);
  const state = resolve(dirname(file), statePath(file, env));
  if (!existsSync(state) || holderOf(state) === undefined) return undefined;
  const text = rememberedIn(state, 'configuration');
  if (text === undefined) return undefined;
  const answer = parseConfig(file, text, registry, env, 'unused');
  return 'config' in answer ? answer.config : undefined;
}

/** The key at the beginning of a line, or the default: what stands around it may not be readable at all. */
function statePath(file: string, env: Environment): string {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Gone or not readable: the daemon's state may still stand where it stands by default.
  }
  const given = /^(?:state|["']state["']):[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s#][^#\n]*))/m.exec(text);
  const path = (given?.[1] ?? given?.[2] ?? given?.[3])?.trim() ?? './state/entente.db';
  return path.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (found, name: string) => env[name] ?? found);
}
