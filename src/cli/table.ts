// Tables for people. Nothing is ever cut: a code, a name or a reason that is shown in part cannot be copied or acted on. Where
// a terminal is too narrow, times lose their date and empty columns go, then the last column wraps, and then each row
// becomes a block.
import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';
/** Words in a narrower column would stand one to a line. */
const LEAST_LAST = 28;
const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d):\d\dZ$/;

/** `width`: of the terminal; none elsewhere. `today`: the date of times that need none. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width?: number,
  today = '',
): string[] {
  const whole = [head, ...rows];
  const wide = layout(whole, width);
  if (wide !== undefined) return wide;
  const said = head.map((_, i) => i === 0 || rows.some((row) => (row[i] ?? '') !== ''));
  const short = whole.map((row) => row.filter((_, i) => said[i]).map((cell) => shortTime(cell, today)));
  return layout(short, width) ?? wrapped(short, width ?? 0) ?? blocks(head, rows, width ?? 0);
}

const length = (cell: string): number => stripVTControlCharacters(cell).length;
const padded = (cell: string, size: number): string => cell + ' '.repeat(Math.max(0, size - length(cell)));

const sizesOf = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => length(row[i] ?? ''))));

const joined = (row: readonly string[], sizes: readonly number[]): string =>
  sizes
    .map((size, i) => padded(row[i] ?? '', size))
    .join(GAP)
    .trimEnd();

/** Undefined where it does not fit. */
function layout(rows: readonly (readonly string[])[], width: number | undefined): string[] | undefined {
  const sizes = sizesOf(rows);
  const lines = rows.map((row) => joined(row, sizes));
  return width === undefined || lines.every((line) => length(line) <= width) ? lines : undefined;
}

/** 14:03Z of today, 12-05 14:03Z of another day. */
function shortTime(cell: string, today: string): string {
  const [, date = '', time] = TIME.exec(cell) ?? [];
  if (time === undefined) return cell;
  return date === today ? `${time}Z` : `${date.slice(5)} ${time}Z`;
}

/** The last column in several lines, where the others leave it room. */
function wrapped(rows: readonly (readonly string[])[], width: number): string[] | undefined {
  const sizes = sizesOf(rows).slice(0, -1);
  const left = sizes.reduce((sum, size) => sum + size + GAP.length, 0);
  const room = width - left;
  if (room < LEAST_LAST) return undefined;
  return rows.flatMap((row) => {
    const last = row[sizes.length] ?? '';
    const [first = '', ...more] = words(last, room);
    return [joined([...row.slice(0, -1), first], [...sizes, 0]), ...more.map((line) => ' '.repeat(left) + line)];
  });
}

/** Each row as its name and what else it has to say. */
function blocks(head: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  return rows.flatMap((row, at) => {
    const [name = '', ...cells] = row;
    const lines: string[] = [];
    let line = '';
    for (const [i, cell] of cells.entries()) {
      if (cell === '') continue;
      const said = `${(head[i + 1] ?? '').toLowerCase()} ${cell}`;
      if (line !== '' && length(line) + length(said) + 4 > width) {
        lines.push(line);
        line = '';
      }
      line = line === '' ? said : `${line}${GAP}${said}`;
    }
    if (line !== '') lines.push(line);
    const told = lines.flatMap((one) => (length(one) + 2 <= width ? [one] : words(one, width - 2)));
    return [...(at === 0 ? [] : ['']), `${(head[0] ?? '').toLowerCase()} ${name}`, ...told.map((one) => `  ${one}`)];
  });
}

/** A word that is longer than the room stays whole: the terminal breaks it, and it is copied in one piece. */
function words(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && length(line) + 1 + length(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
