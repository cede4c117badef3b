import { describe, expect, it } from "vitest";
import { fitTransform, type Row } from "../../../handlers/features/fit.ts";
import type { TransformParameters } from "../../../handlers/features/parameters.ts";
import { featureInput, UnfitRows } from "../../../handlers/models/feature-input.ts";
import { acceptedRecords, type Column, someFeatures } from "../support/accepted-records.ts";

const COLUMNS: readonly Column[] = [
  { name: "yield", type: "number" },
  { name: "site", type: "string" },
  // As the name of an object's property it would come first.
  { name: "1931", type: "number" },
  { name: "irrigated", type: "boolean" },
  { name: "sown", type: "date" },
];

const RECORDS: readonly Row[] = [
  { yield: 27, site: "Morris", 1931: 0.1, irrigated: true, sown: "1931-04-02" },
  { yield: 48.86667, site: "Waseca", 1931: -1.5e-7, irrigated: false, sown: "1932-05-11" },
  { yield: 27.43334, site: "Morris", 1931: null, irrigated: true, sown: "1932-05-11" },
];

interface Fitted {
  readonly transform: TransformParameters;
  /** What the transform's own query makes of the records. */
  readonly queried: readonly Row[];
}

async function fitted(features: object, columns = COLUMNS): Promise<Fitted> {
  const accepted = await acceptedRecords(columns, RECORDS);
  try {
    const declaration = { features: someFeatures({ target: "yield", ...features }), columns };
    const transform = await fitTransform(declaration, accepted.statistics);
    return { transform, queried: await accepted.ask(transform.sql) };
  } finally {
    accepted.close();
  }
}

const oneHot = { encode: [{ columns: ["site"], method: "one-hot" }] };

function unfit(rows: readonly Row[], transform: TransformParameters): unknown {
  try {
    return featureInput(rows, transform);
  } catch (error) {
    if (error instanceof UnfitRows) return error.places;
    throw error;
  }
}

describe("a model of a built-in algorithm", () => {
  it("is sent a record of features for each row, in the order of training, without the target", async () => {
    const { transform } = await fitted(oneHot);
    expect(transform.features).toEqual(["site_Morris", "site_Waseca", "1931", "irrigated"]);
    expect(featureInput(RECORDS, transform)).toEqual({
      contentType: "text/csv",
      body: ["1,0,0.1,1", "0,1,-1.5e-7,0", "1,0,,1"].join("\n"),
    });
  });

  it("is sent the very numbers that the query gives to training", async () => {
    const { transform, queried } = await fitted({
      ...oneHot,
      derive: [{ name: "month", operation: "datePart", column: "sown", part: "month" }],
      impute: [{ columns: ["1931"], strategy: "mean" }],
      scale: [{ columns: ["1931", "month"], method: "standard" }],
    });
    const sent = featureInput(RECORDS, transform)
      .body.split("\n")
      .map((record) => record.split(",").map(Number));
    expect(sent).toEqual(queried.map((row) => transform.features.map((name) => row[name])));
  });

  it("is told of a missing value where it has one feature only, and an empty line would be no record", async () => {
    const { transform } = await fitted({ drop: ["site", "irrigated"] });
    expect(featureInput(RECORDS, transform).body).toBe("0.1\n-1.5e-7\nnan");
  });
});

describe("rows that a version can't be asked about", () => {
  it("are named by place, each once, and never by value", async () => {
    const strict = { columns: ["site"], method: "ordinal", handleUnknown: "error" };
    const { transform } = await fitted({ encode: [strict] });
    const rows = [
      { site: "Atlantis" },
      { site: "Morris" },
      { site: "Morris", 1931: "heavy" },
      { site: "Avalon" },
    ];
    const places = unfit(rows, transform);
    expect(places).toEqual([
      { path: "/instances/0/site", message: "is no category that the model was trained with" },
      { path: "/instances/2/1931", message: "is of no type that the model takes" },
      { path: "/instances/3/site", message: "is no category that the model was trained with" },
    ]);
    expect(JSON.stringify(places)).not.toMatch(/Atlantis|heavy|Avalon/);
  });

  it("are named as a whole where what is derived of them is unknown", async () => {
    const { transform } = await fitted({
      drop: ["site"],
      derive: [{ name: "month", operation: "datePart", column: "sown", part: "month" }],
      encode: [{ columns: ["month"], method: "one-hot", handleUnknown: "error" }],
    });
    expect(unfit([{ sown: "1933-12-24" }], transform)).toEqual([
      { path: "/instances/0", message: "the feature month is no category that the model was trained with" },
    ]);
  });

  it("have a text that nothing makes a number of", async () => {
    const { transform } = await fitted({});
    const message = "is of no type that the model takes";
    expect(unfit([{ site: "1,2\n3" }], transform)).toEqual([{ path: "/instances/0/site", message }]);
  });
});
