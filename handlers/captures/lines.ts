const LINE_END = 0x0a;

/** Longer lines are no captures (a request is at most 25 MB, and base64 a third more) and are not kept in memory. */
const LONGEST_LINE = 80 * 1024 * 1024;

/**
 * Lines of UTF-8 text as it streams by, without their ends and without empty ones. Holds one line and one chunk at a time; a line
 * of more than 80 MB comes as an empty text.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const line = () => {
    const text = length > LONGEST_LINE ? "" : Buffer.concat(parts).toString().replace(/\r$/, "");
    const isEmpty = length === 0;
    parts = [];
    length = 0;
    return isEmpty ? undefined : text;
  };
  const keep = (part: Uint8Array) => {
    length += part.length;
    if (length > LONGEST_LINE) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, start)) {
      keep(chunk.subarray(start, end));
      start = end + 1;
      const text = line();
      if (text !== undefined) yield text;
    }
    keep(chunk.subarray(start));
  }
  const text = line();
  if (text !== undefined) yield text;
}
