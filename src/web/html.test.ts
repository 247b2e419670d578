import { describe, expect, it } from 'vitest';
import fc from '../../test/property.ts';
import { html, type Markup, UNSHOWN } from './html.ts';

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&amp;', '&');
/** What no page can show as it is. */
const printable = (text: string): string => text.toWellFormed().replace(UNSHOWN, '\ufffd');
const markupish = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '`', '&', ';', '/', '=', ' ', 'a', '\u202e', '\0', '&lt;', 'on'),
  }),
);

describe('a page made of templates', () => {
  it('shows any text as that text, between tags and between quotes', () => {
    fc.assert(
      fc.property(markupish, markupish, (inside, attribute) => {
        const page = String(html`<p title="${attribute}">${inside}</p>`);

        const [, title, text] = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/.exec(page) ?? [];
        expect(unescaped(title ?? 'no such page')).toBe(printable(attribute));
        expect(unescaped(text ?? 'no such page')).toBe(printable(inside));
      }),
    );
  });

  it('escapes once, however deep and in whatever lists', () => {
    fc.assert(
      fc.property(fc.array(markupish), (texts) => {
        const items = texts.map((one) => html`<li>${one}</li>`);
        const page = String(html`<ul>${[items, null, undefined, false]}</ul>`);

        const found = [...page.matchAll(/<li>([^<>]*)<\/li>/g)].map((one) => unescaped(one[1] ?? ''));
        expect(found).toEqual(texts.map(printable));
      }),
    );
  });

  it('takes nothing for markup that no template made', () => {
    const forged = { toString: () => '<script>' } as unknown as Markup;

    expect(() => String(html`${forged}`)).toThrow();
    expect(String(html`${'a\u202etxt.exe\r'}`)).toBe('a\ufffdtxt.exe\ufffd');
    expect(String(html`${0} ${'<b>'} ${html`<b>`}`)).toBe('0 &lt;b&gt; <b>');
  });
});
