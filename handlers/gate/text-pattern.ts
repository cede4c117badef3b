import { createContext, Script } from "node:vm";

/** What RE2 understands and JavaScript takes for something else, or for a mistake. */
const ONLY_RE2 = /\[\[:|\\[AzQEC]|\(\?P|\\[pP](?!\{)|\(\?[a-z]*U/;

/** No expression takes long with so few characters, however it was written. */
const SHORT = 16;

const MOST_MS = 50;

/**
 * Tells whether the whole of a text matches a pattern of RE2, the engine of data validation, which takes linear time; JavaScript's
 * doesn't, so that a caller could keep the gate busy with a text made for it: one that takes longer than 50 ms doesn't match.
 * Undefined where JavaScript can't express the pattern: the gate then leaves it unchecked.
 */
export function textPattern(pattern: string): ((text: string) => boolean) | undefined {
  const [prefix = "", flags = ""] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  if (ONLY_RE2.test(pattern)) return undefined;
  const whole = `^(?:${pattern.slice(prefix.length)})$`;
  const expression = compiled(whole, `${flags}u`) ?? compiled(whole, flags);
  if (expression === undefined) return undefined;
  const context = createContext({ expression, text: "" });
  const script = new Script("expression.test(text)");
  return (text) => {
    if (text.length <= SHORT) return expression.test(text);
    context.text = text;
    try {
      return script.runInContext(context, { timeout: MOST_MS }) === true;
    } catch {
      return false;
    }
  };
}

/** RE2 counts in code points, which takes the flag u; some escapes are legal without it only. */
function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}
