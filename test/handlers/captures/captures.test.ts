import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { captureKey, hourPath, hoursBetween } from "../../../handlers/captures/capture-keys.ts";
import { captureLine, parseCapture } from "../../../handlers/captures/capture-record.ts";
import { csvRecords } from "../../../handlers/captures/csv-fields.ts";
import { inferenceMoment, newInferenceId } from "../../../handlers/captures/inference-id.ts";
import { readInstances } from "../../../handlers/captures/instances.ts";
import { linesOf } from "../../../handlers/captures/lines.ts";
import { readPredictions } from "../../../handlers/captures/predictions.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

const json = (value: unknown) => ({ contentType: "application/json", text: JSON.stringify(value) });
const csv = (text: string) => ({ contentType: "text/csv; charset=utf-8", text });

describe("a capture record", () => {
  /** As SageMaker's documentation shows it, with an inference id. */
  const SAGEMAKER = {
    captureData: {
      endpointInput: {
        observedContentType: "text/csv",
        mode: "INPUT",
        data: "132,25,113.2",
        encoding: "CSV",
      },
      endpointOutput: {
        observedContentType: "text/csv; charset=utf-8",
        mode: "OUTPUT",
        data: "0.01076381653547287",
        encoding: "CSV",
      },
    },
    eventMetadata: {
      eventId: "feca1ab1-8025-47e3-8f6a-99e3fdd7b8d9",
      inferenceId: "abc",
      inferenceTime: "2019-11-20T23:33:12Z",
    },
    eventVersion: "0",
  };

  it("of SageMaker is read", () => {
    expect(parseCapture(JSON.stringify(SAGEMAKER))).toEqual({
      eventId: "feca1ab1-8025-47e3-8f6a-99e3fdd7b8d9",
      inferenceId: "abc",
      at: new Date("2019-11-20T23:33:12Z"),
      input: { contentType: "text/csv", text: "132,25,113.2" },
      output: { contentType: "text/csv; charset=utf-8", text: "0.01076381653547287" },
    });
  });

  it("in base64 is read as what it was", () => {
    const data = Buffer.from('{"instances":[{"é":1}]}').toString("base64");
    const endpointInput = {
      observedContentType: "application/json",
      mode: "INPUT",
      data,
      encoding: "BASE64",
    };
    const record = { ...SAGEMAKER, captureData: { endpointInput } };
    const capture = parseCapture(JSON.stringify(record));
    expect(capture?.input.text).toBe('{"instances":[{"é":1}]}');
    expect(capture?.output).toBeUndefined();
  });

  it("that we write is read as it was, on one line", () => {
    const bodies = fc.record({
      contentType: fc.constantFrom("text/csv", "application/json", "application/x-npy", "text/plain"),
      // Lone surrogates are no text: they don't come out of UTF-8 as they went in.
      text: fc.string({ unit: "grapheme" }),
    });
    const captures = fc.record(
      {
        eventId: fc.uuid(),
        inferenceId: fc.uuid(),
        at: fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
        input: bodies,
        output: bodies,
        modelVersion: fc.integer({ min: 1, max: 1e6 }),
      },
      { requiredKeys: ["eventId", "at", "input"] },
    );
    fc.assert(
      fc.property(captures, (capture) => {
        const line = captureLine(capture);
        expect(line).not.toContain("\n");
        expect(parseCapture(line)).toEqual(capture);
      }),
    );
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    JSON.stringify({ ...SAGEMAKER, eventVersion: "1" }),
    JSON.stringify({ ...SAGEMAKER, eventMetadata: { eventId: "a", inferenceTime: "yesterday" } }),
  ])("is not what is none: %s", (line) => {
    expect(parseCapture(line)).toBeUndefined();
  });

  it("has its place by endpoint, variant and hour, as SageMaker's have", () => {
    const at = new Date("2026-02-03T04:59:59.999Z");
    expect(captureKey({ endpoint: "live", variant: "primary" }, at, "a")).toBe(
      "captures/live/primary/2026/02/03/04/a.jsonl",
    );
    expect(
      hoursBetween(new Date("2026-02-28T22:00:00Z"), new Date("2026-03-01T01:00:00Z")).map(hourPath),
    ).toEqual(["2026/02/28/22", "2026/02/28/23", "2026/03/01/00"]);
  });
});

it("tells by an inference id of ours, and of no other, when the request was made", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (ms) => {
      expect(inferenceMoment(newInferenceId(new Date(ms)))).toEqual(new Date(ms));
    }),
  );
  expect(inferenceMoment("3f2b8c1e-5f0a-4d6b-9c7d-1a2b3c4d5e6f")).toBeUndefined();
  expect(inferenceMoment("order-1")).toBeUndefined();
});

it("finds the lines of a text, however it is cut into chunks", async () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n]/g, ""));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat({ max: 20 })), async (lines, cuts) => {
      const bytes = Buffer.from(lines.join("\n"));
      const chunks = async function* () {
        let from = 0;
        for (const cut of cuts) {
          yield bytes.subarray(from, from + cut);
          from += cut;
        }
        yield bytes.subarray(from);
      };
      const found: string[] = [];
      for await (const text of linesOf(chunks())) found.push(text);
      expect(found).toEqual(lines.filter((text) => text !== ""));
    }),
  );
});

describe("instances", () => {
  const columns: DatasetColumn[] = [
    { name: "species", type: "string", nullable: false },
    { name: "mass", type: "number", nullable: true },
    { name: "tagged", type: "boolean", nullable: false },
  ];

  it("stand by name in JSON", () => {
    const instances = [{ mass: 1.5 }, { mass: null }];
    expect(readInstances(json({ instances }), columns)).toEqual(instances);
    for (const other of [{ instances: [1] }, { rows: [] }, null, []]) {
      expect(readInstances(json(other), columns)).toBeUndefined();
    }
    expect(readInstances({ contentType: "application/json", text: "{" }, columns)).toBeUndefined();
  });

  it("stand in the schema's order in CSV, with or without the target", () => {
    expect(readInstances(csv("1.5,true\n,no\n"), columns, "species")).toEqual([
      { mass: 1.5, tagged: true },
      { mass: null, tagged: "no" },
    ]);
    expect(readInstances(csv("Adelie,1.5,false"), columns, "species")).toEqual([
      { species: "Adelie", mass: 1.5, tagged: false },
    ]);
    expect(readInstances(csv("1.5"), columns, "species")).toBeUndefined();
  });
});

describe("CSV", () => {
  it("is read as RFC 4180 has it", () => {
    expect(csvRecords('a,"b ""c"", d",\r\n"",x,y\n1,2,3')).toEqual([
      ["a", 'b "c", d', null],
      ["", "x", "y"],
      ["1", "2", "3"],
    ]);
    expect(csvRecords('"open')).toBeUndefined();
    expect(csvRecords('"a"b')).toBeUndefined();
  });

  it("gives back every field that was written", () => {
    const field = fc.string().filter((text) => text !== "");
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 2 }), { minLength: 1 }), (records) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = records.map((record) => record.map(quoted).join(",")).join("\r\n");
        expect(csvRecords(text)).toEqual(records);
      }),
    );
  });
});

describe("predictions", () => {
  it("may be classes, numbers, probabilities or all that a model tells", () => {
    const answers = [
      "Adelie",
      0.25,
      true,
      [0.1, 0.7, 0.2],
      [0.25, 0.75],
      { predicted_label: 1, score: 0.9 },
      { score: 0.3 },
      { score: [0.1, 0.2, 0.7] },
      { prediction: "Gentoo", probability: 0.8, attributions: { mass: -0.5, sex: "no number" } },
    ];
    expect(readPredictions(json({ predictions: answers }), answers.length)).toEqual([
      { value: "Adelie" },
      { value: 0.25 },
      { value: "true" },
      { value: 1, confidence: 0.7 },
      { value: 1, confidence: 0.75, score: 0.75 },
      { value: 1, score: 0.9 },
      { value: 0.3, score: 0.3 },
      { value: 2, confidence: 0.7 },
      { value: "Gentoo", confidence: 0.8, attributions: { mass: -0.5 } },
    ]);
  });

  it("stand in CSV as a record each, or all in one", () => {
    expect(readPredictions(csv("0.1\n0.2\n"), 2)).toEqual([{ value: 0.1 }, { value: 0.2 }]);
    expect(readPredictions(csv("0.1,0.2"), 2)).toEqual([{ value: 0.1 }, { value: 0.2 }]);
    expect(readPredictions(csv("Adelie,0.9"), 1)).toEqual([{ value: "Adelie" }]);
  });

  it("are none where their number is not that of the instances, or one can't be read", () => {
    expect(readPredictions(json({ predictions: [1, 2] }), 3)).toBeUndefined();
    expect(readPredictions(json({ predictions: [{}] }), 1)).toBeUndefined();
    expect(readPredictions(json("an error"), 1)).toBeUndefined();
    expect(readPredictions({ contentType: "text/html", text: "<h1>" }, 1)).toBeUndefined();
  });
});
