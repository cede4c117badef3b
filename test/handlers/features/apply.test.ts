import { beforeAll, describe, expect, it } from "vitest";
import { applyTransform } from "../../../handlers/features/apply.ts";
import { fitTransform } from "../../../handlers/features/fit.ts";
import type { TransformParameters } from "../../../handlers/features/parameters.ts";
import { acceptedRecords, type Column, someFeatures } from "../support/accepted-records.ts";

const COLUMNS: readonly Column[] = [
  { name: "city", type: "string" },
  { name: "rooms", type: "integer" },
  { name: "sold", type: "boolean" },
  { name: "at", type: "timestamp" },
  { name: "price", type: "number" },
];

const RECORDS = [
  { city: "Bern", rooms: 2, sold: true, at: "2024-03-31T00:30:00+02:00", price: 1 },
  { city: "Basel", rooms: 4, sold: false, at: "2024-06-01T12:00:00Z", price: 2 },
  { city: "Bern", rooms: 6, sold: true, at: "2024-06-02T12:00:00Z", price: 3 },
];

async function fitted(features: object): Promise<TransformParameters> {
  const accepted = await acceptedRecords(COLUMNS, RECORDS);
  try {
    const declaration = { features: someFeatures({ target: "price", ...features }), columns: COLUMNS };
    return await fitTransform(declaration, accepted.statistics);
  } finally {
    accepted.close();
  }
}

const encoded = (method: string, handleUnknown: string) => ({
  encode: [{ columns: ["city"], method, handleUnknown }],
});

describe("one record", () => {
  it.each([
    ["one-hot", { city_Basel: 0, city_Bern: 0 }],
    ["ordinal", { city: -1 }],
    ["frequency", { city: 0 }],
  ])("of an unknown category is nothing where unknown ones are ignored: %s", async (method, features) => {
    const parameters = await fitted(encoded(method, "ignore"));
    expect(applyTransform(parameters, { city: "Zug", rooms: 1, sold: true })).toMatchObject(features);
  });

  it.each(["one-hot", "ordinal", "frequency"])(
    "of an unknown category is refused on demand: %s",
    async (method) => {
      const parameters = await fitted(encoded(method, "error"));
      expect(() => applyTransform(parameters, { city: "Zug" })).toThrow(
        expect.objectContaining({ code: "unknown_category", column: "city" }),
      );
      expect(() => applyTransform(parameters, { city: null })).not.toThrow();
    },
  );

  it.each([
    [{ city: 3 }, "city"],
    [{ rooms: "3" }, "rooms"],
    [{ sold: 1 }, "sold"],
  ])("of a wrong type is refused by the column's name and not by its value: %o", async (record, column) => {
    const parameters = await fitted({});
    expect(() => applyTransform(parameters, record)).toThrow(
      expect.objectContaining({
        code: "wrong_type",
        column,
        message: expect.stringMatching(/must be a \w+$/),
      }),
    );
  });

  it("has the parts of its moment in UTC, whether or not it names a zone", async () => {
    const parameters = await fitted({
      derive: [
        { name: "hour", operation: "datePart", column: "at", part: "hour" },
        { name: "day", operation: "datePart", column: "at", part: "day" },
      ],
    });
    const parts = (at: string) => applyTransform(parameters, { at });
    for (const offset of ["+02:00", "+0200", "+02"]) {
      expect(parts(`2024-03-31T00:30:00${offset}`)).toMatchObject({ hour: 22, day: 30 });
      expect(parts(`2024-03-31 00:30:00${offset}`)).toMatchObject({ hour: 22, day: 30 });
    }
    expect(parts("2024-03-31T00:30:00")).toMatchObject({ hour: 0, day: 31 });
    expect(parts("2026-01-01T10:00+05")).toMatchObject({ hour: 5, day: 1 });
    expect(parts("2026-01-01 10:00:00-0130")).toMatchObject({ hour: 11, day: 1 });
  });

  it.each(["yesterday", "garbage 2026", "5", "2026-02-30T10:00:00Z", "2026-01-31", "2026-01-31T24:00:00Z"])(
    "is refused where its moment is none that data could have: %s",
    async (at) => {
      const parameters = await fitted({
        derive: [{ name: "hour", operation: "datePart", column: "at", part: "hour" }],
      });
      expect(() => applyTransform(parameters, { at })).toThrow("Column at must be a timestamp");
    },
  );

  it.each(["2026-02-30", "garbage 2026", "5", "2026-02-28T10:00:00Z", "2026-2-28"])(
    "is refused where its day is none that data could have: %s",
    async (day) => {
      const columns: readonly Column[] = [...COLUMNS, { name: "day", type: "date" }];
      const accepted = await acceptedRecords(
        columns,
        RECORDS.map((record) => ({ ...record, day: "2026-02-28" })),
      );
      const features = someFeatures({
        target: "price",
        derive: [{ name: "month", operation: "datePart", column: "day", part: "month" }],
      });
      const parameters = await fitTransform({ features, columns }, accepted.statistics);
      accepted.close();
      expect(applyTransform(parameters, { day: "2026-02-28" })).toMatchObject({ month: 2 });
      expect(() => applyTransform(parameters, { day })).toThrow("Column day must be a date");
    },
  );

  it("is not asked for what is neither a feature nor the source of one", async () => {
    const parameters = await fitted({ drop: ["city"] });
    expect(parameters.features).toEqual(["rooms", "sold"]);
    expect(applyTransform(parameters, { rooms: 3, sold: false, city: 7, more: {} })).toEqual({
      rooms: 3,
      sold: 0,
    });
  });

  let parameters: TransformParameters;
  beforeAll(async () => {
    parameters = await fitted({
      derive: [{ name: "hour", operation: "datePart", column: "at", part: "hour" }],
      impute: [{ columns: ["rooms"], strategy: "median" }],
      scale: [{ columns: ["rooms"], method: "standard" }],
      encode: [{ columns: ["city"], method: "one-hot", handleUnknown: "ignore" }],
    });
  });

  it("takes far less than the five milliseconds of a request", () => {
    const record = RECORDS[0]!;
    for (let warm = 0; warm < 2000; warm++) applyTransform(parameters, record);
    // Of this thread's own time: a busy machine takes nothing of it.
    const begun = process.threadCpuUsage();
    for (let turn = 0; turn < 10_000; turn++) applyTransform(parameters, record);
    const { user, system } = process.threadCpuUsage(begun);
    const microseconds = (user + system) / 10_000;
    // About 2 µs; fifty leave room for slow machines.
    expect(microseconds).toBeLessThan(50);
  });
});
