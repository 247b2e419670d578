// The pages as a table: a path, how it is read, and what a form that is sent there asks for.
import { board } from './board.ts';
import { chosenPage } from './chosen.ts';
import { decisionsPage, holdPage } from './decisions.ts';
import { differencePage } from './difference.ts';
import { exchangePage } from './exchange.ts';
import { chosenTaken, decided, retried, taken } from './forms.ts';
import type { FormTaker } from './forms.ts';
import { historyPage } from './history.ts';
import type { PageMaker } from './page.ts';
import { valuePage } from './value.ts';

interface Route {
  /** `:name` is any one part of a path. */
  readonly path: string;
  readonly page: PageMaker;
  readonly form?: FormTaker;
}

const ROUTES: readonly Route[] = [
  {
    path: '/',
    page: async ({ status, pages, waiting, now }) => board({ status, waiting, samples: await pages.samples(), now }),
  },
  { path: '/why', page: valuePage, form: taken },
  { path: '/held', page: decisionsPage, form: decided },
  { path: '/held/:id', page: holdPage },
  { path: '/history', page: historyPage },
  { path: '/exchange/:name', page: exchangePage },
  { path: '/difference', page: differencePage, form: retried },
  { path: '/difference/chosen', page: chosenPage, form: chosenTaken },
  { path: '/siem/:name/difference', page: differencePage },
];

export interface Found extends Route {
  readonly params: Readonly<Record<string, string>>;
}

export function routeOf(path: string): Found | undefined {
  const given = path.split('/');
  for (const route of ROUTES) {
    const wanted = route.path.split('/');
    if (wanted.length !== given.length) continue;
    const params: Record<string, string> = {};
    if (wanted.every((part, i) => fits(part, given[i]!, params))) return { ...route, params };
  }
  return undefined;
}

function fits(wanted: string, given: string, params: Record<string, string>): boolean {
  if (!wanted.startsWith(':')) return wanted === given;
  try {
    params[wanted.slice(1)] = decodeURIComponent(given);
    return given !== '';
  } catch {
    return false; // a broken escape names nothing
  }
}
