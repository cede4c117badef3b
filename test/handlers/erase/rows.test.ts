import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanCsv } from "../../../handlers/dataset/csv-structure.ts";
import type { Search } from "../../../handlers/erase/findings.ts";
import { csvFields, RecordSplitter, Unsearchable } from "../../../handlers/erase/records.ts";
import { RowFilter, type TextKind } from "../../../handlers/erase/rows.ts";
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

function kept(
  kind: TextKind,
  file: string,
  sizes: readonly number[] = [file.length || 1],
  asked: Search = search,
) {
  const filter = new RowFilter(kind, asked);
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

  it("are not looked for in a record that never ends", () => {
    const splitter = new RecordSplitter(false);
    const piece = Buffer.alloc(33 * 1024 ** 2, "a");
    splitter.push(piece);
    expect(() => splitter.push(piece)).toThrow(Unsearchable);
  });
});

describe("the subject's text in what validation would not take for rows", () => {
  const csv = "id,email,note\n";
  const ada = "ada@example.com";
  it.each([
    ["a quote that never ends", "csv", `${csv}1,"${ada},x\n`],
    ["lines between two stray quotes", "csv", `${csv}1,a@x,5" pipe\n2,${ada},ok\n3,c@x,6" pipe\n`],
    ["a line that looks regular behind stray quotes", "csv", `${csv}1,5" pipe,6" x\n2,${ada},ok\n`],
    ["text behind a closing quote", "csv", `${csv}2,${ada},"ok" y\n`],
    ["a field that is too many", "csv", `${csv}1,x,${ada},ok\n`],
    ["a field that is missing", "csv", `${csv}${ada},ok\n`],
    ["lines that end with CR alone", "csv", `${csv}1,a@x,p\n2,${ada},ok\n`.replaceAll("\n", "\r")],
    ["a line end of CR among others", "csv", `${csv}1,a@x,p\r2,${ada},ok\n`],
    ["two CR at the end", "csv", `${csv}1,a@x,${ada}\r\r`],
    ["a column that is there twice", "csv", `id,email,email\n1,${ada},b@x\n`],
    ["a first line that is no header", "csv", `1,${ada},x\n2,b@x,y\n`],
    ["a nested value", "jsonl", `{"id":1,"profile":{"email":"${ada}"}}\n`],
    ["an escaped text in a nested value", "jsonl", `{"profile":[{"email":"\\u0061da@example.com"}]}\n`],
    ["an escaped text in a cut off line", "jsonl", `{"note":"x","email":"\\u0061da@exam\\u0070le.com"\n`],
    ["JSON in a text of a nested value", "jsonl", `{"a":["{\\"email\\":\\"\\\\u0061da@example.com\\"}"]}\n`],
    ["a list of objects", "jsonl", `[{"email":"${ada}"}]\n`],
    ["a name that is there twice", "jsonl", `{"email":"${ada}","email":"b@x"}\n`],
  ] as const)("makes a file unsearchable: %s", (_, kind, file) => {
    expect(() => kept(kind, file)).toThrow(Unsearchable);
    // The same without the subject holds up nobody.
    const others = file.replaceAll(/ada|\\+u0061da/g, "bob");
    expect(kept(kind, others).text).toBe(others);
  });

  it.each([
    ["csv", `${csv}1,x,42,ok\n`],
    ["csv", `${csv}9,5" pipe,6" x\n042,a@x,ok\n`],
    ["jsonl", '{"person":{"id": 42}}\n'],
    ["jsonl", '{"id":42,"id":7}\n'],
  ] as const)("is a number's, too, in %s: %j", (kind, file) => {
    const numbered: Search = { ...search, subject: [{ name: "id", type: "integer", value: "42" }] };
    const cut = [file.length];
    expect(() => kept(kind, file, cut, numbered)).toThrow(Unsearchable);
    const others = file.replace("42", "421");
    expect(kept(kind, others, cut, numbered).text).toBe(others);
  });

  it.each(['say "hi"', "a/b\\c", "tab\there", "Zo\u00eb \u{1f600}", "x.y(z)"])(
    "is found however it is escaped: %j",
    (text) => {
      const asked: Search = { ...search, subject: [{ name: "email", type: "string", value: text }] };
      const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
      const hex = units.map((unit) => `\\u${unit.toString(16).padStart(4, "0").toUpperCase()}`).join("");
      const twice = JSON.stringify(JSON.stringify([text])).replaceAll("/", "\\\\/");
      for (const value of [JSON.stringify(text), `"${hex}"`, `"${hex.toLowerCase()}"`, twice]) {
        const nested = `{"a":[${value}]}\n`;
        expect(() => kept("jsonl", nested, [nested.length], asked)).toThrow(Unsearchable);
      }
      const file = `{"email":${JSON.stringify(text)}}\n{"email":"${hex}"}\n`;
      expect(kept("jsonl", file, [file.length], asked).text).toBe("");
      const csv = `id,note\n5" x,"${text.replaceAll('"', '""')}"\n`;
      expect(() => kept("csv", csv, [csv.length], asked)).toThrow(Unsearchable);
    },
  );

  it("is left only in records that RFC 4180 reads as rows, whatever the file", () => {
    const piece = fc.constantFrom('"', '""', ",", "\n", "\r\n", "\r", "x", ada, `"${ada}"`, `\n1,${ada},x\n`);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), sizes, (pieces, cuts) => {
        let left: string;
        try {
          left = kept("csv", csv + pieces.join(""), cuts).text;
        } catch (error) {
          expect(error).toBeInstanceOf(Unsearchable);
          return;
        }
        for (let bytes = Buffer.from(left); bytes.includes(ada); ) {
          const { end, problem } = scanCsv(bytes, {
            isLast: true,
            maxRecords: 1,
            into: Buffer.alloc(bytes.length),
          });
          if (problem?.code === "lone_carriage_return") {
            const next = bytes.indexOf("\n") + 1 || bytes.length;
            expect(bytes.subarray(0, next).includes(ada)).toBe(false);
            bytes = bytes.subarray(next);
            continue;
          }
          expect(problem).toBeUndefined();
          const record = bytes.toString("utf8", 0, end);
          if (record.includes(ada)) expect(csvFields(record)).toHaveLength(3);
          bytes = bytes.subarray(end);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each(["utf8", "latin1", "utf16le"] as const)("is known in %s", (encoding) => {
    const asked: Search = {
      ...search,
      subject: [{ name: "email", type: "string", value: "zoë@example.com" }],
    };
    const file = Buffer.from("id;email\n1;zoë@example.com\n", encoding);
    const swapped = encoding === "utf16le" ? [Buffer.from(file).swap16()] : [];
    for (const bytes of [file, ...swapped]) {
      const filter = new RowFilter("csv", asked);
      expect(() => [...filter.push(bytes), ...filter.end()]).toThrow(Unsearchable);
    }
  });

  it("is no reason not to take a record that is certainly the subject's", () => {
    expect(kept("csv", `${csv}1,${ada},x,too,many\n2,b@x,y\n`).text).toBe(`${csv}2,b@x,y\n`);
    expect(kept("jsonl", `{"email":"${ada}","more":{"a":1}}\n{"email":"${ada}","EMAIL":"b@x"}\n`).text).toBe(
      "",
    );
  });

  it("may stand in another column of a regular file", () => {
    for (const [kind, file] of [
      ["csv", `${csv}1,b@x,"ask ""${ada}"""\r\n`],
      ["jsonl", `{"email":"b@x","note":"\\u0061da@example.com","more":"\\"x\\": 1"}\n`],
    ] as const) {
      expect(kept(kind, file)).toMatchObject({ text: file, findings: { rows: 1, found: 0 } });
    }
  });

  it("is told in captured requests and in labels, too", () => {
    const asked = { ...search, inferences: new Set(["i1"]) };
    const captured = (data: string) =>
      `${JSON.stringify({ captureData: { endpointInput: { data, encoding: "CSV" } } })}\n`;
    expect(() => kept("captures", captured(`x,5" pipe\n1,${ada}`))).toThrow(Unsearchable);
    expect(() => kept("captures", '{"eventMetadata":"\\u0061da@example.com"')).toThrow(Unsearchable);
    for (const record of [`i2,5" x\ni1,1\ni3,6" y\n`, "extra,i1,1\n", `i2,${ada}\n`]) {
      const file = `inference_id,label\n${record}`;
      expect(() => kept("labels-csv", file, [file.length], asked)).toThrow(Unsearchable);
    }
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
    ["timestamp", "2026-01-01T10:00Z", "2026-01-01T15:00+05", "2026-01-01 05:30:00-0430"],
    ["timestamp", "2026-01-01T10:00:00.1234567Z", "2026-01-01T12:00:00.123456+02"],
  ] as const)("are one value of type %s", (type, first, ...others) => {
    for (const other of others) expect(normalized(type, other)).toBe(normalized(type, first));
    expect(normalized(type, "")).toBeUndefined();
  });

  it("are two texts", () => {
    expect(normalized("string", "Ada")).not.toBe(normalized("string", "ada"));
    expect(normalized("string", " ada")).not.toBe(normalized("string", "ada"));
    const moment = (text: string) => normalized("timestamp", text);
    expect(moment("2026-01-01T10:00:00.123456Z")).not.toBe(moment("2026-01-01T10:00:00.123457Z"));
    expect(moment("2026-01-01T10:00:00+05")).not.toBe(moment("2026-01-01T10:00:00Z"));
  });
});
