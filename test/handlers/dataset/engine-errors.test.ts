import { describe, expect, it } from "vitest";
import { explainedByEngine } from "../../../handlers/dataset/engine-errors.ts";
import { Unreadable } from "../../../handlers/dataset/text-file.ts";

const codeOf = (message: string) => {
  const explained = explainedByEngine(new Error(message));
  return explained instanceof Unreadable ? explained.reasons[0]?.code : "as it is";
};

describe("an error of DuckDB", () => {
  it.each([
    ["Invalid Input Error: No magic bytes found", "unreadable"],
    ['IO Error: Could not read enough bytes from file "a": attempted to read 9 bytes', "unreadable"],
    ["IO Error: The width of the bitpacked data exceeds the supported max width", "unreadable"],
    ["INTERNAL Error: Attempted to access index 3 within vector of size 3", "unreadable"],
    ["FATAL Error: Failed: database has been invalidated", "unreadable"],
    ["Out of Memory Error: could not allocate block", "too_much_memory"],
    ["INTERRUPT Error: Interrupted!", "not_in_time"],
    ['IO Error: Could not write file "a": No space left on device', "as it is"],
    ["Binder Error: Referenced column not found", "as it is"],
  ])("%s: %s", (message, code) => {
    expect(codeOf(message)).toBe(code);
  });
});
