// What a form asks for, read from its fields; and what is said once the daemon did it or refused.
import { guess } from '../core/model/typed-in.ts';
import { withoutHidden } from '../core/model/text.ts';
import { html, type Markup } from './html.ts';
import { messagePage, type Page, type Screen } from './page.ts';
import type { Asked, Outcome } from './source.ts';
import { foreign, siemHref } from './words.ts';

export interface Read {
  readonly asked: Asked;
  readonly screen: Screen;
  /** Said when it is done. */
  readonly done: string;
  /** Where one looks at what came of it. */
  readonly back: string;
}
/** A text: what is wrong with the form. */
export type FormTaker = (fields: URLSearchParams) => Read | string;

const MOST_HOURS = 87_600;
const MOST_DAYS = 1_096;

export const decided: FormTaker = (fields) => {
  const decision = fields.get('decision');
  const id = fields.get('id') ?? '';
  const set = fields.get('set') ?? '';
  const reason = reasonOf(fields);
  if (decision !== 'approve' && decision !== 'reject') return 'approve or reject';
  if (!/^s?\d{1,15}$/.test(id) || !/^[0-9a-f]{8}$/i.test(set)) return 'the form does not say what was shown';
  if (reason === '') return 'a reason is needed: it stands beside your name in the record';
  const done = `${decision === 'approve' ? 'Approved' : 'Rejected'} ${id.startsWith('s') ? 'the sighting' : `hold ${id}`}, exactly as it was shown (${set}).`;
  return { asked: { kind: 'decide', decision, id, set, reason }, screen: 'decisions', done, back: '/held' };
};

export const taken: FormTaker = (fields) => {
  const value = fields.get('value') ?? '';
  const back = `/why?value=${encodeURIComponent(value)}`;
  const kind = fields.get('kind');
  if (kind === 'lift') {
    const id = Number(fields.get('id'));
    const of = fields.get('of');
    if (!Number.isSafeInteger(id) || (of !== 'suppress' && of !== 'harmless'))
      return 'the form does not say what to lift';
    return {
      asked: { kind, id, of },
      screen: 'value',
      done: 'Lifted. The next cycle writes it again where it is wanted.',
      back,
    };
  }
  const observables = guess(value);
  const reason = reasonOf(fields);
  if (observables.length === 0) return 'this is no address, domain, URL, e-mail address or hash';
  if (reason === '') return 'a reason is needed: it stands beside your name in the record';
  if (kind === 'suppress') {
    const hours = Number(fields.get('hours'));
    if (!(hours > 0 && hours <= MOST_HOURS)) return 'for how many hours?';
    return {
      asked: { kind, observables, hours, reason },
      screen: 'value',
      done: `Suppressed for ${hours} h; the SIEMs are told now.`,
      back,
    };
  }
  if (kind === 'harmless') {
    const days = Number(fields.get('review_days'));
    if (!(days > 0 && days <= MOST_DAYS)) return 'after how many days shall it ask again?';
    return {
      asked: { kind, observables, review_days: days, reason },
      screen: 'value',
      done: `Off until somebody lifts it; it asks for another look in ${days} days. The SIEMs are told now.`,
      back,
    };
  }
  return 'the form does not say what to do';
};

export const retried: FormTaker = (fields) => {
  const id = fields.get('id') ?? '';
  if (!/^\d{1,15}-\d{1,15}$/.test(id)) return 'the form does not say what to try again';
  return {
    asked: { kind: 'retry-parked', id },
    screen: 'difference',
    done: 'It is tried again at the next cycle.',
    back: '/difference?bucket=park',
  };
};

export const chosenTaken: FormTaker = (fields) => {
  const what = fields.get('do');
  const siem = fields.get('siem') ?? '';
  if (what === 'repair' && siem !== '')
    return {
      asked: { kind: 'reconcile', siem, repair: true },
      screen: 'difference',
      done: 'It was compared with what stands there, and put right.',
      back: siemHref(siem),
    };
  const rows = (fields.get('rows') ?? '').split(',');
  const set = fields.get('set') ?? '';
  if (!rows.every((one) => ROW.test(one)) || !/^[0-9a-f]{8}$/.test(set)) return 'the form does not say what was shown';
  const read = { screen: 'difference', back: '/difference' } as const;
  if (what === 'retry')
    return { ...read, asked: { kind: 'retry-chosen', rows, set }, done: 'They are tried again at the next cycle.' };
  const reason = reasonOf(fields);
  const hours = Number(fields.get('hours'));
  if (what !== 'suppress') return 'the form does not say what to do';
  if (reason === '') return 'a reason is needed: it stands beside your name in the record';
  if (!(hours > 0 && hours <= MOST_HOURS)) return 'for how many hours?';
  return {
    ...read,
    asked: { kind: 'suppress-chosen', rows, set, hours, reason },
    done: `Suppressed for ${hours} h; the SIEMs are told now.`,
  };
};

/** Of a SIEM and an entry, by their numbers. */
export const ROW = /^\d{1,9}-\d{1,15}$/;

const reasonOf = (fields: URLSearchParams): string =>
  withoutHidden(fields.get('reason') ?? '')
    .trim()
    .slice(0, 500);

export function outcomePage({ screen, done, back }: Read, outcome: Outcome): Page {
  const link: Markup = html`<a href="${back}">Look at what came of it</a>`;
  if ('done' in outcome) return messagePage('Done', html`${done} ${link}`, screen);
  return messagePage(
    'Nothing was done',
    html`${foreign(outcome.refused)}. <a href="${back}">Look again</a>`,
    screen,
    409,
  );
}
