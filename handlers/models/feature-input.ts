import { pointer } from "../../programs/spec/problem.ts";
import { applyTransform, type FeatureValue } from "../features/apply.ts";
import { TransformError, type TransformParameters } from "../features/parameters.ts";

type Row = Readonly<Record<string, unknown>>;

/** What a model is sent. */
export interface ModelInput {
  readonly contentType: string;
  readonly body: string;
}

/** Rows that a version can't be asked about. Neither paths nor messages hold values. */
export class UnfitRows extends Error {
  override readonly name = "UnfitRows";
  /** JSON pointers into `{"instances": […]}`, one for each row. */
  readonly places: readonly { readonly path: string; readonly message: string }[];

  constructor(places: UnfitRows["places"]) {
    super(`${places.length} rows have what the model was not trained with`);
    this.places = places;
  }
}

/**
 * What the gate and the tests of a release send a built-in algorithm, which takes numbers and no names: the features in the order of
 * training, a record for each row, without header and target
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html#InputOutput-XGBoost). An image of one's own gets the rows and makes them
 * itself. Throws `UnfitRows` where the transform refuses a row, and `TransformError` where the transform itself is broken.
 */
export function featureInput(instances: readonly Row[], transform: TransformParameters): ModelInput {
  const unfit: UnfitRows["places"][number][] = [];
  const records = instances.map((instance, index) => {
    try {
      return record(transform, instance);
    } catch (error) {
      if (!(error instanceof TransformError) || error.column === undefined) throw error;
      unfit.push(placeOf(error, index, error.column, transform));
      return "";
    }
  });
  if (unfit.length > 0) throw new UnfitRows(unfit);
  return { contentType: "text/csv", body: records.join("\n") };
}

function record(transform: TransformParameters, instance: Row): string {
  const values = applyTransform(transform, instance);
  // By name: an object lists names that are whole numbers first, whatever their order.
  const fields = transform.features.map((name) => field(name, values[name] ?? null));
  const [only, ...others] = fields;
  // A line that is empty altogether is no record.
  return only === "" && others.length === 0 ? "nan" : fields.join(",");
}

function field(name: string, value: FeatureValue): string {
  if (typeof value === "string") throw new TransformError("wrong_type", `Feature ${name} is a text`, name);
  return value === null ? "" : String(value);
}

const MESSAGES: Readonly<Partial<Record<TransformError["code"], string>>> = {
  unknown_category: "is no category that the model was trained with",
  wrong_type: "is of no type that the model takes",
};

/** What was derived has no place in the row: then it is named beside the row's. */
function placeOf({ code }: TransformError, index: number, column: string, { inputs }: TransformParameters) {
  const message = MESSAGES[code] ?? "can't be transformed";
  return inputs.some(({ name }) => name === column)
    ? { path: pointer("instances", index, column), message }
    : { path: pointer("instances", index), message: `the feature ${column} ${message}` };
}
