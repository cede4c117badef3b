import { describe, expect, it } from "vitest";
import { SERVING_MODES } from "../../../programs/spec/serving.ts";
import { specProblems } from "../../../programs/spec.ts";
import { someFeatures } from "../../handlers/support/accepted-records.ts";
import { aSpec, productionInput } from "../support/inputs.ts";

type Change = NonNullable<Parameters<typeof aSpec>[0]>;

const column = (name: string, type: "string" | "number" | "boolean" | "date") => ({
  name,
  type,
  nullable: false,
});

const schema = [
  column("yield", "number"),
  column("variety", "string"),
  column("site", "string"),
  column("irrigated", "boolean"),
  column("sown", "date"),
];

const features = someFeatures({
  target: "yield",
  drop: ["site"],
  encode: [{ columns: ["variety"], method: "one-hot" }],
});

const builtIn = (dataset: Change["dataset"], serving: Change["serving"] = {}) =>
  aSpec({ dataset: { schema, ...dataset }, training: { algorithm: "xgboost" }, serving });

const pathsOf = (spec: ReturnType<typeof aSpec>) => specProblems(spec).map(({ path }) => path);

describe("a built-in algorithm", () => {
  it("is served by serverless endpoints on declared features", () => {
    expect(specProblems(builtIn({ features }))).toEqual([]);
  });

  it("needs declared features, which say what it predicts and in which order it takes numbers", () => {
    expect(specProblems(builtIn({}))).toEqual([
      { path: "/dataset/features", message: expect.stringContaining("name at least the target") },
    ]);
  });

  it("takes no text: each is encoded, dropped or the target", () => {
    const texts = someFeatures({ target: "yield" });
    expect(specProblems(builtIn({ features: texts }))).toEqual([
      { path: "/dataset/schema/1", message: expect.stringMatching(/"variety" is text.*encode or drop$/) },
      { path: "/dataset/schema/2", message: expect.stringMatching(/"site" is text/) },
    ]);
    const target = someFeatures({ target: "variety", drop: ["site"] });
    expect(pathsOf(builtIn({ features: target }))).toEqual([]);
  });

  it("is told the target by the features and not by a hyperparameter, which it would refuse", () => {
    const spec = builtIn({ features });
    const training = { ...spec.training, hyperparameters: { target: "yield" } };
    expect(pathsOf({ ...spec, training })).toEqual(["/training/hyperparameters/target"]);
  });

  it.each(SERVING_MODES.filter((mode) => mode !== "serverless"))(
    "can't be served by %s, and the problem says what can be done",
    (mode) => {
      const { spec } = productionInput(mode);
      const problems = specProblems({
        ...spec,
        dataset: { ...spec.dataset, schema, features },
        training: { ...spec.training, algorithm: "xgboost" },
      });
      expect(problems).toEqual([
        {
          path: "/serving/mode",
          message: expect.stringMatching(
            `^${mode} can't serve xgboost: .* Use serverless, or an image of your own`,
          ),
        },
      ]);
    },
  );

  it("leaves an image of one's own as free as it was", () => {
    for (const mode of ["serverless", "lambda"] as const) {
      expect(pathsOf(aSpec({ dataset: { schema }, serving: { mode } }))).toEqual([]);
    }
  });
});
