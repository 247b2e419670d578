// The second way through a file that is whole: its elements, one after the other, from any of them on.
import { allBlank, LineParts, ListParts, type Part } from '../../../core/runtime/json-parts.ts';
import { BOUNDS, type Form, lineText } from './survey.ts';

export interface Element {
  /** Undefined for a line that is no JSON, and for what is too large. */
  readonly value: unknown;
  /** It is larger than we take into memory: what of it is. */
  readonly over?: string | undefined;
  /** Counted from 1; of lines, blank ones too. */
  readonly number: number;
  /** Byte from which the next one is read. */
  readonly end: number;
}

/** Changed since it was surveyed: it was whole JSON then. */
export class Changed extends Error {
  override readonly name = 'Changed';
}

/** `from` and `before`: where an earlier reading ended, and after how many elements. */
export async function* elementsOf(
  form: Form,
  chunks: (from: number) => AsyncIterable<Buffer>,
  from: number,
  before: number,
  bounds = BOUNDS,
): AsyncGenerator<Element, void, undefined> {
  let number = before;
  if (form.kind === 'value') {
    const whole: Buffer[] = [];
    for await (const chunk of chunks(0)) whole.push(Buffer.from(chunk));
    const bytes = Buffer.concat(whole);
    yield { value: parsed(lineText(bytes, 1)), number: 1, end: bytes.length };
    return;
  }
  if (form.kind === 'lines') {
    const lines = new LineParts(from, bounds);
    const line = ({ bytes, end, over }: Part): Element | undefined => {
      number++;
      if (over !== undefined) return { value: undefined, over, number, end };
      return allBlank(bytes) ? undefined : { value: attempted(lineText(bytes, number)), number, end };
    };
    for await (const chunk of chunks(from))
      for (const part of lines.feed(chunk)) {
        const element = line(part);
        if (element !== undefined) yield element;
      }
    const last = line(lines.rest());
    if (last !== undefined) yield last;
    return;
  }
  const list = new ListParts(Math.max(from, form.from), bounds);
  for await (const chunk of chunks(Math.max(from, form.from))) {
    for (const { bytes, end, over } of list.feed(chunk))
      yield { value: over === undefined ? parsed(bytes.toString('utf8')) : undefined, over, number: ++number, end };
    if (list.closed !== undefined) return;
  }
  throw new Changed();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Changed();
  }
}

function attempted(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
