/**
 * Parses JSON. Throws also for what JSON.parse changes without a word: of a key that stands twice in one object it takes the last,
 * and of a whole number too large for it the nearest.
 */
export function parseStrictJson(text: string): unknown {
  const value = parse(text);
  checkTokens(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The engine's message ends with a piece of the text, which may be a secret.
    throw new Error((cause as Error).message.replace(/, (?:\.{3})?".*$/s, ""), { cause });
  }
}

/** Whether a whole number, as it is written, stays the same when it becomes a number. */
export function isExactInteger(written: string): boolean {
  return String(Number(written)) === written || /^-?0+$/.test(written);
}

// The text is known to be JSON, so that strings, brackets and numbers are all there is to tell apart.
function checkTokens(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let position = 0;
  while (position < text.length) {
    const start = position;
    const character = text[start] as string;
    position += 1;
    if (character === '"') {
      position = afterString(text, start);
      const end = position;
      while (isSpace(text[position])) position += 1;
      if (text[position] === ":") addKey(open.at(-1), text.slice(start, end));
    } else if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (isDigit(character) || character === "-") {
      while (isNumeric(text[position])) position += 1;
      checkNumber(text.slice(start, position));
    }
  }
}

function addKey(keys: Set<string> | undefined, literal: string): void {
  const key = JSON.parse(literal) as string;
  if (keys?.has(key)) throw new Error(`key ${shortened(literal)} stands twice in one object`);
  keys?.add(key);
}

function checkNumber(literal: string): void {
  if (/^-?\d+$/.test(literal) && !isExactInteger(literal)) {
    throw new Error(`the number ${shortened(literal)} can't be kept exactly: send it as text`);
  }
}

export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function afterString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

const isSpace = (character = "") =>
  character === " " || character === "\n" || character === "\r" || character === "\t";
const isDigit = (character = "") => character >= "0" && character <= "9";
const isNumeric = (character = "") => isDigit(character) || (character !== "" && "+-.eE".includes(character));
