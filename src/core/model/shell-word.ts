// A partner's value in a command that a person copies into a shell: as one word, whatever stands in it.

/** A longer one is shown by name: it would hide what the command does. */
const MOST = 200;
const PLAIN = /^[\w.:/@%+,=-]+$/;

/** Quoted where a shell, or its reader, would take it for more than one word; `VALUE` where it is too long to be read. */
export function shellWord(text: string): string {
  if (text.length > MOST) return 'VALUE';
  return PLAIN.test(text) ? text : singleQuoted(text);
}

export const singleQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
