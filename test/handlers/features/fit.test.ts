import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyTransform } from "../../../handlers/features/apply.ts";
import { fitTransform } from "../../../handlers/features/fit.ts";
import { parseTransformParameters, type TransformParameters } from "../../../handlers/features/parameters.ts";
import { acceptedRecords, PENGUIN_COLUMNS, penguins, someFeatures } from "../support/accepted-records.ts";
import expected from "./scikit-learn.json" with { type: "json" };

const NUMBERS = ["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)"] as const;
const median = { columns: [...NUMBERS], strategy: "median" };

describe("a transform of the penguins", () => {
  const records = penguins();
  let accepted: Awaited<ReturnType<typeof acceptedRecords>>;
  beforeAll(async () => {
    accepted = await acceptedRecords(PENGUIN_COLUMNS, records);
  });
  afterAll(() => accepted.close());

  const fitted = (features: object): Promise<TransformParameters> =>
    fitTransform(
      { features: someFeatures({ target: "Species", ...features }), columns: PENGUIN_COLUMNS },
      accepted.statistics,
    );
  const transformed = async (features: object, name: string) => {
    const parameters = await fitted(features);
    return expected.rows.map((row) => applyTransform(parameters, records[row]!)[name] as number);
  };
  const expectClose = (values: readonly number[], wanted: readonly number[]) => {
    expect(values).toHaveLength(wanted.length);
    for (const [index, value] of values.entries()) {
      expect(Math.abs(value - wanted[index]!)).toBeLessThanOrEqual(
        1e-9 * Math.max(1, Math.abs(wanted[index]!)),
      );
    }
  };

  it.each(["mean", "median"] as const)("imputes the %s that scikit-learn does", async (strategy) => {
    const { impute } = await fitted({ impute: [{ columns: [...NUMBERS], strategy }] });
    expectClose(
      impute.map(({ value }) => Number(value)),
      NUMBERS.map((name) => expected.imputers[strategy][name]),
    );
  });

  it("imputes the most frequent value that scikit-learn does, of texts as well", async () => {
    const { impute } = await fitted({
      impute: [{ columns: [...NUMBERS, "Sex"], strategy: "most-frequent" }],
    });
    expect(Object.fromEntries(impute.map(({ column, value }) => [column, value]))).toEqual(
      expected.imputers.most_frequent,
    );
  });

  it.each(["standard", "min-max", "robust"] as const)("scales as scikit-learn does: %s", async (method) => {
    for (const name of NUMBERS) {
      const features = { impute: [median], scale: [{ columns: [...NUMBERS], method }] };
      expectClose(await transformed(features, name), expected.scalers[method][name]);
    }
  });

  it("encodes one-hot under scikit-learn's names", async () => {
    const parameters = await fitted({
      impute: [{ columns: ["Sex"], strategy: "constant", fillValue: "MALE" }],
      encode: [{ columns: ["Sex"], method: "one-hot", handleUnknown: "error" }],
    });
    expect(parameters.features.filter((name) => name.startsWith("Sex"))).toEqual(expected.oneHot.names);
    const values = expected.rows.map((row) => {
      const features = applyTransform(parameters, records[row]!);
      return expected.oneHot.names.map((name) => features[name]);
    });
    expect(values).toEqual(expected.oneHot.values);
  });

  it("encodes by ordinal and by frequency as scikit-learn and pandas do", async () => {
    const ordinal = { encode: [{ columns: ["Island"], method: "ordinal", handleUnknown: "error" }] };
    expect((await fitted(ordinal)).encode[0]?.categories).toEqual(expected.ordinal.categories);
    expect(await transformed(ordinal, "Island")).toEqual(expected.ordinal.values);
    const { encode } = await fitted({
      encode: [{ columns: ["Island"], method: "frequency", handleUnknown: "ignore" }],
    });
    const [{ categories = [], frequencies = [] } = {}] = encode;
    expect(Object.fromEntries(categories.map((category, index) => [category, frequencies[index]]))).toEqual(
      expected.frequency,
    );
  });

  it.each(["3", "4", "10"] as const)("bins by %s quantiles as scikit-learn does", async (bins) => {
    const flipper = "Flipper Length (mm)";
    const features = {
      derive: [{ name: "bin", operation: "quantileBin", column: flipper, bins: Number(bins) }],
      impute: [{ columns: ["bin"], strategy: "constant", fillValue: 0 }],
    };
    const { derive } = await fitted(features);
    const [bucket] = derive;
    const edges = bucket?.operation === "bucket" ? bucket.edges : [];
    expectClose(edges, expected.bins[bins].edges.slice(1, -1));
    const parameters = await fitted(features);
    for (const [place, row] of expected.rows.entries()) {
      if (records[row]![flipper] === null) continue;
      expect(applyTransform(parameters, records[row]!).bin).toBe(expected.bins[bins].values[place]);
    }
  });

  it("derives as numpy does", async () => {
    const features = {
      derive: [
        { name: "mass", operation: "log1p", column: "Body Mass (g)" },
        { name: "beak", operation: "ratio", columns: ["Beak Length (mm)", "Beak Depth (mm)"] },
      ],
    };
    const parameters = await fitted(features);
    for (const [place, row] of expected.rows.entries()) {
      if (records[row]!["Body Mass (g)"] === null) continue;
      const { mass, beak } = applyTransform(parameters, records[row]!);
      expectClose([mass as number, beak as number], [expected.log1p[place]!, expected.ratio[place]!]);
    }
  });

  it("has the same digest for the same data, and another for another declaration", async () => {
    const features = { impute: [median], scale: [{ columns: ["Body Mass (g)"], method: "standard" }] };
    const [one, again, other] = [
      await fitted(features),
      await fitted(features),
      await fitted({ impute: [median] }),
    ];
    expect(again).toEqual(one);
    expect(other.digest).not.toBe(one.digest);
    expect(parseTransformParameters(JSON.parse(JSON.stringify(one)))).toEqual(one);
  });

  it("is refused once it was changed", async () => {
    const parameters = await fitted({ scale: [{ columns: ["Body Mass (g)"], method: "standard" }] });
    const [scaler] = parameters.scale;
    const forged = { ...parameters, scale: [{ ...scaler!, center: scaler!.center + 1 }] };
    expect(() => parseTransformParameters(forged)).toThrow("is not what its digest names");
    expect(() => parseTransformParameters({ ...parameters, scale: "none" })).toThrow("/scale");
  });

  it("neither makes a feature of the target nor needs it", async () => {
    const parameters = await fitted({ drop: ["Island", "Sex"] });
    const { Species, ...record } = records[0]!;
    expect(parameters.features).toEqual([...NUMBERS]);
    expect(applyTransform(parameters, record)).toEqual(applyTransform(parameters, { Species, ...record }));
  });
});

describe("what can't be fitted", () => {
  const columns = [
    { name: "id", type: "string" },
    { name: "empty", type: "number" },
    { name: "same", type: "number" },
    { name: "y", type: "number" },
  ] as const;
  const fitted = async (records: readonly Record<string, unknown>[], features: object) => {
    const accepted = await acceptedRecords(columns, records);
    try {
      return await fitTransform(
        { features: someFeatures({ target: "y", ...features }), columns },
        accepted.statistics,
      );
    } finally {
      accepted.close();
    }
  };

  it("is no data", async () => {
    await expect(fitted([], {})).rejects.toMatchObject({ code: "unfittable" });
  });

  it.each([
    [{ impute: [{ columns: ["empty"], strategy: "mean" }] }],
    [{ impute: [{ columns: ["empty"], strategy: "most-frequent" }] }],
    [{ scale: [{ columns: ["empty"], method: "robust" }] }],
    [{ derive: [{ name: "bin", operation: "quantileBin", column: "empty", bins: 4 }] }],
  ])("is a column without a value: %o", async (features) => {
    await expect(fitted([{ id: "a", same: 3 }], features)).rejects.toMatchObject({
      code: "unfittable",
      column: "empty",
    });
  });

  it("is an identifier as a category, and two features of one name", async () => {
    const many = Array.from({ length: 1001 }, (_, index) => ({ id: `id ${index}`, same: 3 }));
    const encode = [{ columns: ["id"], method: "one-hot", handleUnknown: "ignore" }];
    await expect(fitted(many, { encode })).rejects.toThrow("more than 1000 categories");
    await expect(fitted([{ id: "a" }, { id: "A" }], { encode })).rejects.toThrow(
      "Two features would be named",
    );
  });

  it("isn't a column that never varies: it is divided by 1", async () => {
    const records = [0.1, 0.1, 0.1].map((same) => ({ id: "a", same }));
    for (const method of ["standard", "min-max", "robust"]) {
      const { scale } = await fitted(records, { scale: [{ columns: ["same"], method }] });
      expect(scale[0]?.scale).toBe(1);
    }
  });
});
