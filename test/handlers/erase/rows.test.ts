import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvFields, RecordSplitter, Unsearchable } from "../../../handlers/erase/records.ts";
import { RowFilter, type Search } from "../../../handlers/erase/rows.ts";
import { normalized } from "../../../handlers/erase/values.ts";

const search: Search = {
  subject: [{ name: "email", type: "string", value: "ada@example.com" }],
  columns: ["email", "visit"],
  inferences: new Set(),
};

/** The file in pieces of these sizes, in turn. */
function* pieces(file: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < file.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield file.subarray(start, start + size);
    start += size;
  }
}

function kept(kind: "csv" | "jsonl", file: string, sizes: readonly number[] = [file.length || 1]) {
  const filter = new RowFilter(kind, search);
  const records = [...pieces(Buffer.from(file), sizes)].flatMap((piece) => filter.push(piece));
  return { text: Buffer.concat([...records, ...filter.end()]).toString(), findings: filter.findings };
}

const field = fc.oneof(
  fc.constant("ada@example.com"),
  fc.string({ maxLength: 6 }),
  fc.constant('a "b",\nc\r\n'),
);
const quoted = (text: string) => (/["\n\r,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe("rows of a file that comes in pieces", () => {
  it("are those that are written without the subject's, wherever the pieces are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(field, field), { maxLength: 8 }),
        fc.boolean(),
        sizes,
        (rows, ends, cuts) => {
          const lines = (some: typeof rows) => [
            "email,visit",
            ...some.map((row) => row.map(quoted).join(",")),
          ];
          const others = rows.filter(([email]) => email !== "ada@example.com");
          const { text, findings } = kept("csv", `${lines(rows).join("\n")}${ends ? "\n" : ""}`, cuts);
          expect(text.replace(/\n$/, "")).toBe(lines(others).join("\n").replace(/\n$/, ""));
          expect(findings).toMatchObject({ rows: rows.length, found: rows.length - others.length });
        },
      ),
    );
  });

  it("are the objects of JSON lines but the subject's, however they are escaped", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(field, fc.boolean()), { maxLength: 8 }), sizes, (rows, cuts) => {
        const line = ([email, escapes]: readonly [string, boolean]) => {
          const text = JSON.stringify({ visit: 1, email });
          return `${escapes ? text.replace("a", "\\u0061").replace("\\u0061", "a") : text}\n`;
        };
        const others = rows.filter(([email]) => email !== "ada@example.com");
        expect(kept("jsonl", rows.map(line).join(""), cuts).text).toBe(others.map(line).join(""));
      }),
    );
    expect(kept("jsonl", '{"EMAIL":"\\u0061da@example.com"}\n').text).toBe("");
  });

  it("can't be told in a file whose quote never ends", () => {
    expect(() => kept("csv", 'email,visit\n"ada@example.com,1\n')).toThrow(Unsearchable);
  });

  it("are not looked for in a record that never ends", () => {
    const splitter = new RecordSplitter(false);
    const piece = Buffer.alloc(33 * 1024 ** 2, "a");
    splitter.push(piece);
    expect(() => splitter.push(piece)).toThrow(Unsearchable);
  });
});

describe("the fields of a record", () => {
  it.each([
    ["a,b", ["a", "b"]],
    ['"a,""b""",c\r\n', ['a,"b"', "c"]],
    [",\n", ["", ""]],
    ['"a"b,c', ["ab", "c"]],
    ['"open', ["open"]],
  ])("of %j are %j", (record, fields) => {
    expect(csvFields(record)).toEqual(fields);
  });
});

describe("two ways to write one value", () => {
  it.each([
    ["integer", "1", 1, "1.0", "+1", "1e0"],
    ["integer", "9007199254740993", "9007199254740993.0"],
    ["number", "0.5", 0.5, ".5", "5e-1"],
    ["boolean", "TRUE", true, "1"],
    ["timestamp", "2026-01-01T10:00:00Z", "2026-01-01 10:00:00", "2026-01-01T11:00:00+01:00"],
  ] as const)("are one value of type %s", (type, first, ...others) => {
    for (const other of others) expect(normalized(type, other)).toBe(normalized(type, first));
    expect(normalized(type, "")).toBeUndefined();
  });

  it("are two texts", () => {
    expect(normalized("string", "Ada")).not.toBe(normalized("string", "ada"));
    expect(normalized("string", " ada")).not.toBe(normalized("string", "ada"));
  });
});
