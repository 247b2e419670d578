// How many values a JSON text has, counted before it is parsed. Bytes alone do not bound memory: an empty object takes three
// bytes on the wire and a hundred in the heap, so that an answer of a few megabytes could end the process for everybody.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Whether a JSON text has more values than that. Each value but the first follows a comma, a bracket or a brace. */
export function hasMoreValues(body: Uint8Array, most: number): boolean {
  // Each costs a byte, so that usual pages are not looked at.
  if (body.length <= most) return false;
  let values = 1;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) i = endOfText(body, i);
    else if ((byte === COMMA || byte === BRACKET || byte === BRACE) && ++values > most) return true;
  }
  return false;
}

/** Place of the quotation mark that ends the text which begins at `from`. Most of an answer is texts: the search is V8's own. */
function endOfText(body: Uint8Array, from: number): number {
  for (let end = body.indexOf(QUOTE, from + 1); end !== -1; end = body.indexOf(QUOTE, end + 1)) {
    let before = end - 1;
    while (before > from && body[before] === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return body.length;
}
