// Style, script and icon: files of their own, so that the policy of a page can forbid everything else. In a clone the
// script's types are stripped when it is first asked for; in a package that was done when it was built.
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

export interface Asset {
  readonly type: 'text/css; charset=utf-8' | 'text/javascript; charset=utf-8' | 'image/svg+xml';
  readonly body: string;
}

const made = new Map<string, Asset>();

/** Undefined for any other path: nothing is looked up by a name that came from outside. */
export function assetAt(path: string): Asset | undefined {
  const make = ASSETS[path];
  if (make === undefined) return undefined;
  let asset = made.get(path);
  if (asset === undefined) {
    asset = make();
    made.set(path, asset);
  }
  return asset;
}

const fileAt = (name: string): URL => new URL(`./client/${name}`, import.meta.url);

function script(): string {
  const built = fileAt('client.js');
  return existsSync(built)
    ? readFileSync(built, 'utf8')
    : stripTypeScriptTypes(readFileSync(fileAt('client.ts'), 'utf8'));
}

const ASSETS: Readonly<Record<string, (() => Asset) | undefined>> = Object.assign(
  // No name of an object's own kind is a path.
  Object.create(null) as Record<string, () => Asset>,
  {
    '/style.css': (): Asset => ({ type: 'text/css; charset=utf-8', body: readFileSync(fileAt('style.css'), 'utf8') }),
    '/client.js': (): Asset => ({ type: 'text/javascript; charset=utf-8', body: script() }),
    '/icon.svg': (): Asset => ({ type: 'image/svg+xml', body: readFileSync(fileAt('icon.svg'), 'utf8') }),
  },
);
