/**
 * Fields of CSV text (RFC 4180), a list for each record; undefined where a quoted field has no end. An empty field that is not
 * quoted is null.
 */
export function csvRecords(text: string): (string | null)[][] | undefined {
  const records: (string | null)[][] = [];
  let record: (string | null)[] = [];
  let position = 0;
  while (position < text.length) {
    if (text[position] === '"') {
      const quoted = quotedField(text, position + 1);
      if (quoted === undefined) return undefined;
      record.push(quoted.value);
      position = quoted.end;
    } else {
      const end = fieldEnd(text, position);
      record.push(end === position ? null : text.slice(position, end));
      position = end;
    }
    if (text[position] === ",") {
      position += 1;
      // The record ends with a comma: its last field is empty.
      if (position === text.length || text[position] === "\n" || text[position] === "\r") record.push(null);
      else continue;
    }
    records.push(record);
    record = [];
    if (text[position] === "\r") position += 1;
    if (text[position] === "\n") position += 1;
  }
  return records;
}

function fieldEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return end;
}

function quotedField(text: string, start: number): { value: string; end: number } | undefined {
  let value = "";
  let from = start;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return undefined;
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      const end = fieldEnd(text, quote + 1);
      return end === quote + 1 ? { value, end } : undefined;
    }
    value += '"';
    from = quote + 2;
  }
}
