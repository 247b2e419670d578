// Characters that a person does not see, or that make the text around them look like another: control characters,
// zero-width ones, soft hyphens, marks and overrides of direction, fillers. In a value they refuse it; in text for
// people, ours or a peer's, they go.

const NOT_PLAIN = /[^ -~]/;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/u;
const UNSEEN_RUNS = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]+/gu;
/** Blanks other than the plain one look like it and are not. */
const OTHER_BLANK = /(?! )\p{Zs}/u;
const OTHER_BLANKS = /(?! )\p{Zs}/gu;

/** For values: control characters apart, which have words of their own where they are refused. */
export function hasHidden(text: string): boolean {
  return NOT_PLAIN.test(text) && (OTHER_BLANK.test(text) || UNSEEN.test(text.replace(/\p{Cc}/gu, '')));
}

/** Without what is not seen; a line break or tab leaves a blank. */
export function withoutHidden(text: string): string {
  if (!NOT_PLAIN.test(text)) return text;
  return text.replace(UNSEEN_RUNS, (run) => (/[\t\n\r\u2028\u2029]/.test(run) ? ' ' : '')).replace(OTHER_BLANKS, ' ');
}

/** With what is not seen spelled out, as `\u{200b}`, so that a reader finds it. */
export function showingHidden(text: string): string {
  if (!NOT_PLAIN.test(text)) return text;
  return Array.from(text, (letter) =>
    UNSEEN.test(letter) || OTHER_BLANK.test(letter) ? `\\u{${letter.codePointAt(0)?.toString(16)}}` : letter,
  ).join('');
}
