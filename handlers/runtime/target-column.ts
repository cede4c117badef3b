import Type from "typebox";
import type { DatasetColumn } from "../../programs/spec.ts";
import type { Settings } from "./settings.ts";

const Features = Type.Object({ target: Type.String() });
const Hyperparameters = Type.Record(Type.String(), Type.Unknown());

/**
 * Name of the column that the model predicts: what `dataset.features` says, or else the hyperparameter `target` where it names a
 * column. Undefined where neither does: then only the training program knows.
 */
export async function targetColumn(
  settings: Settings,
  columns: readonly Pick<DatasetColumn, "name">[],
): Promise<string | undefined> {
  const features = await settings.optionalDocument("dataset/features", Features);
  if (features !== undefined) return features.target;
  const { target } = await settings.document("training/hyperparameters", Hyperparameters);
  return columns.find(({ name }) => name === target)?.name;
}
