import { styleText } from "node:util";
import { describe, expect, it } from "vitest";
import { aligned, fitted, wrapped } from "../../../scripts/demo/printer.ts";
import { recorder } from "./recorder.ts";

const red = (text: string) => styleText("red", text, { validateStream: false });

describe("the printer", () => {
  it("cuts rows only where the output is a terminal", () => {
    const row = ["name", "x".repeat(200)];
    const terminal = recorder({ isTTY: true, columns: 40 });
    terminal.printer.table([row]);
    expect(terminal.text()).toBe(`  name  ${"x".repeat(31)}…\n`);
    const file = recorder();
    file.printer.table([row]);
    expect(file.text()).toContain("x".repeat(200));
  });

  it("draws anew over the lines drawn before, until they are settled", () => {
    const { printer, text } = recorder({ isTTY: true, columns: 40 });
    printer.draw(["a", "b"]);
    printer.draw(["c", "d"]);
    printer.settle();
    printer.draw(["e"]);
    expect(text().split("\u001b[2A")).toHaveLength(2);
    expect(text()).toContain("\u001b[?25h");
  });
});

it("a line written while something is drawn takes its place", () => {
  const { printer, text } = recorder({ isTTY: true, columns: 40 });
  printer.draw(["a", "b"]);
  printer.line("news");
  printer.draw(["a", "b"]);
  expect(text().split("\u001b[2A")).toHaveLength(2);
  expect(text()).toContain("\u001b[2A\u001b[J  news\n");
});

describe("text in columns", () => {
  it("is aligned by what is seen, not by its colour codes", () => {
    expect(
      aligned([
        ["ab", "1"],
        [red("c"), "2"],
      ]),
    ).toEqual(["ab  1", `${red("c")}   2`]);
  });

  it("is cut with a mark where it does not fit", () => {
    expect(fitted("abcdef", 6)).toBe("abcdef");
    expect(fitted("abcdef", 4)).toBe("abc…");
    expect(fitted(red("ab"), 2)).toBe(red("ab"));
  });

  it("is wrapped between words", () => {
    expect(wrapped("one two three", 7)).toEqual(["one two", "three"]);
  });
});
