// HTML that is escaped by construction: what a template puts in is text unless it came from a template itself. There is
// no way in for markup that somebody else wrote, so that a page cannot forget to escape.

/** Only `html` makes these; a text that looks like one is a text. */
export class Markup {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static of(strings: readonly string[], values: readonly Insert[]): Markup {
    let text = strings[0] ?? '';
    for (let i = 0; i < values.length; i++) text += shown(values[i]) + (strings[i + 1] ?? '');
    return new Markup(text);
  }

  toString(): string {
    return this.#text;
  }
}

/** Nothing is shown for null, undefined and false, so that `condition && html…` reads well. */
export type Insert = Markup | string | number | null | undefined | false | readonly Insert[];

export function html(strings: TemplateStringsArray, ...values: readonly Insert[]): Markup {
  return Markup.of(strings, values);
}

function shown(value: Insert): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'object') return value.map(shown).join('');
  return escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Control characters, and those that turn the direction of what follows: a text must not rearrange the page or itself. */
export const UNSHOWN = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Good in text and in attributes between quotes, which is where templates put values. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSHOWN, '\ufffd')
    .replace(/[&<>"'`]/g, (found) => ENTITIES[found] ?? '');
}
