import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { COLUMN_TYPES } from "../../programs/spec/dataset.ts";
import { DATE_PARTS } from "../../programs/spec/features.ts";
import { canonicalJson } from "../models/canonical-json.ts";

const text = Type.String();
const number = Type.Number();
const category = Type.Union([number, text]);
const digest = Type.String({ pattern: "^[0-9a-f]{64}$" });

/** What is derived, with the edges that were fitted. */
const DerivedStep = Type.Union([
  Type.Object({
    name: text,
    operation: Type.Enum(["ratio", "difference", "product"]),
    columns: Type.Array(text, { minItems: 2, maxItems: 2 }),
  }),
  Type.Object({ name: text, operation: Type.Literal("log1p"), column: text }),
  Type.Object({
    name: text,
    operation: Type.Literal("bucket"),
    column: text,
    edges: Type.Array(number),
  }),
  Type.Object({
    name: text,
    operation: Type.Literal("datePart"),
    column: text,
    part: Type.Enum([...DATE_PARTS]),
  }),
  Type.Object({
    name: text,
    operation: Type.Literal("flag"),
    column: text,
    is: Type.Enum(["missing", "equal", "notEqual", "below", "atMost", "above", "atLeast"]),
    value: Type.Optional(Type.Union([number, text, Type.Boolean()])),
  }),
  Type.Object({
    name: text,
    operation: Type.Literal("clip"),
    column: text,
    min: Type.Optional(number),
    max: Type.Optional(number),
  }),
]);

const Encoder = Type.Object({
  column: text,
  method: Type.Enum(["one-hot", "ordinal", "frequency"]),
  handleUnknown: Type.Enum(["ignore", "error"]),
  /** In order: numbers by value, texts by code point. */
  categories: Type.Array(category),
  /** Shares of the rows that have a value, by category; only with method frequency. */
  frequencies: Type.Optional(Type.Array(number)),
});

const STEPS = {
  /** The target; no feature. */
  target: text,
  /** Columns that the transform reads, with their types in the data set's schema. */
  inputs: Type.Array(Type.Object({ name: text, type: Type.Enum([...COLUMN_TYPES]) })),
  derive: Type.Array(DerivedStep),
  impute: Type.Array(Type.Object({ column: text, value: category })),
  /** (value − center) / scale. */
  scale: Type.Array(Type.Object({ column: text, center: number, scale: number })),
  encode: Type.Array(Encoder),
  /** Names of the features, in the order in which a model is given them. */
  features: Type.Array(text),
};

/**
 * A fitted transform: all that is needed to make features of a record. The document is what is stored as
 * `transforms/<digest>.json`, and its digest is what a model package names in the customer metadata `aidlc-transform`.
 */
export const TransformParameters = Type.Object({
  version: Type.Literal(1),
  /** SHA-256 of the canonical JSON of everything else here. */
  digest,
  /** SHA-256 of the canonical JSON of the declaration and the columns that it was fitted for. */
  declaration: digest,
  /** What it was fitted to: the SHA-256 of the list of accepted objects, and how many rows they have. */
  data: Type.Object({ sha256: digest, rows: Type.Integer({ minimum: 1 }) }),
  ...STEPS,
  /** A query of DuckDB that makes the features, and the target after them, of a relation `accepted` with the typed columns. */
  sql: text,
});

const Steps = Type.Object(STEPS);

export type TransformParameters = Static<typeof TransformParameters>;
export type TransformSteps = Static<typeof Steps>;
export type DerivedStep = Static<typeof DerivedStep>;
export type Encoder = Static<typeof Encoder>;
export type Category = Static<typeof category>;

/** Something is wrong with a transform, or with a record for it. Messages name columns and never values. */
export class TransformError extends Error {
  override readonly name = "TransformError";
  readonly code: "corrupt_parameters" | "unfittable" | "wrong_type" | "unknown_category";
  readonly column: string | undefined;

  constructor(code: TransformError["code"], message: string, column?: string) {
    super(message);
    this.code = code;
    this.column = column;
  }
}

export const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");

/** Parameters as they are stored, where −0 is 0, with the digest that names them. */
export function withDigest(parameters: Omit<TransformParameters, "digest">): TransformParameters {
  const text = canonicalJson(parameters);
  return { ...JSON.parse(text), digest: sha256(text) };
}

/** Reads stored parameters. Throws `TransformError` where they are no parameters, or not those that their digest names. */
export function parseTransformParameters(document: unknown): TransformParameters {
  const [problem] = Value.Errors(TransformParameters, document);
  if (problem !== undefined) {
    throw new TransformError("corrupt_parameters", `Transform${problem.instancePath}: ${problem.message}`);
  }
  const { digest: named, ...rest } = document as TransformParameters;
  if (withDigest(rest).digest !== named) {
    throw new TransformError("corrupt_parameters", `Transform ${named} is not what its digest names`);
  }
  return { ...rest, digest: named };
}
