import { Writable } from "node:stream";
import { type Output, Printer } from "../../../scripts/demo/printer.ts";

/** A printer whose output is kept; `terminal` says what the output is. */
export function recorder(terminal: { isTTY?: boolean; columns?: number } = {}) {
  let written = "";
  const output = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      written += text;
      done();
    },
  });
  return { printer: new Printer(Object.assign(output, terminal) as Output), text: () => written };
}
