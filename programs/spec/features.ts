import Type, { type Static } from "typebox";
import { closed } from "./shapes.ts";

export const DATE_PARTS = ["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute"] as const;

const name = Type.String({
  description: "Name of the new feature; differs from every column and every other feature.",
  minLength: 1,
  maxLength: 255,
});
const column = Type.String({ description: "Column, or feature derived before.", minLength: 1 });
const columns = Type.Array(Type.String(), {
  description: "Columns and derived features that this applies to.",
  minItems: 1,
  maxItems: 1000,
  uniqueItems: true,
});

const Derived = Type.Union([
  Type.Object(
    {
      name,
      operation: Type.Enum(["ratio", "difference", "product"], {
        description: "first / second, first − second, or first × second. A division by zero is missing.",
      }),
      columns: Type.Array(Type.String(), {
        description: "The two columns or features derived before, in this order.",
        minItems: 2,
        maxItems: 2,
      }),
    },
    closed,
  ),
  Type.Object(
    {
      name,
      operation: Type.Literal("log1p", {
        description: "Natural logarithm of 1 + value; missing where the value is −1 or less.",
      }),
      column,
    },
    closed,
  ),
  Type.Object(
    {
      name,
      operation: Type.Literal("bucket", {
        description: "How many of the edges are at most the value: 0 below the first edge.",
      }),
      column,
      edges: Type.Array(Type.Number(), {
        description: "Edges in ascending order.",
        minItems: 1,
        maxItems: 100,
      }),
    },
    closed,
  ),
  Type.Object(
    {
      name,
      operation: Type.Literal("quantileBin", {
        description:
          "The same with edges at the quantiles of the data, as scikit-learn's KBinsDiscretizer(strategy='quantile') finds them.",
      }),
      column,
      bins: Type.Integer({
        description: "Bins; fewer where quantiles coincide.",
        minimum: 2,
        maximum: 100,
      }),
    },
    closed,
  ),
  Type.Object(
    {
      name,
      operation: Type.Literal("datePart", { description: "A part of a date or timestamp, in UTC." }),
      column: Type.String({ description: "Column of type date or timestamp.", minLength: 1 }),
      part: Type.Enum([...DATE_PARTS], { description: "Which part; Monday is day 0 of the week." }),
    },
    closed,
  ),
  Type.Object(
    {
      name,
      operation: Type.Literal("flag", { description: "1 where the condition holds, 0 where it does not." }),
      column,
      is: Type.Enum(["missing", "equal", "notEqual", "below", "atMost", "above", "atLeast"], {
        description: "The condition. Of a missing value only `missing` is told; all others leave it missing.",
      }),
      value: Type.Optional(
        Type.Union([Type.Number(), Type.String(), Type.Boolean()], {
          description: "What the column is compared with; texts by equality only.",
        }),
      ),
    },
    closed,
  ),
  Type.Object(
    {
      name,
      operation: Type.Literal("clip", { description: "The value, but never outside of min and max." }),
      column,
      min: Type.Optional(Type.Number({ description: "Smallest result." })),
      max: Type.Optional(Type.Number({ description: "Largest result." })),
    },
    closed,
  ),
]);

const Imputation = Type.Object(
  {
    columns,
    strategy: Type.Enum(["mean", "median", "most-frequent", "constant"], {
      description:
        "What takes the place of missing values, as in scikit-learn's SimpleImputer; of values that are equally frequent, the smallest.",
    }),
    fillValue: Type.Optional(
      Type.Union([Type.Number(), Type.String(), Type.Boolean()], {
        description: "The value; only and always with strategy constant.",
      }),
    ),
  },
  closed,
);

const Scaling = Type.Object(
  {
    columns,
    method: Type.Enum(["standard", "min-max", "robust"], {
      description:
        "(value − mean) / standard deviation, (value − smallest) / range, or (value − median) / interquartile range, as " +
        "scikit-learn's StandardScaler, MinMaxScaler and RobustScaler. What doesn't vary is divided by 1.",
    }),
  },
  closed,
);

const Encoding = Type.Object(
  {
    columns,
    method: Type.Enum(["one-hot", "ordinal", "frequency"], {
      description:
        "A feature `<column>_<category>` for each category; the category's place in their order; or its share of the data.",
    }),
    handleUnknown: Type.Enum(["ignore", "error"], {
      description:
        "A category that the data did not have: `ignore` gives only zeros, −1 or 0 by method; `error` refuses the record.",
      default: "ignore",
    }),
  },
  closed,
);

const each = <T extends Parameters<typeof Type.Array>[0]>(item: T, description: string) =>
  Type.Array(item, { description, maxItems: 1000, default: [] });

/** Order of the sections is the order of work: derive, impute, scale, encode. */
export const Features = Type.Object(
  {
    target: Type.String({
      description: "Column that the model predicts. It is no feature, and nothing is made of it.",
      minLength: 1,
    }),
    drop: Type.Array(Type.String(), {
      description:
        "Columns that are no features, such as identifiers; features can be derived from them. Dates and timestamps never are features.",
      uniqueItems: true,
      maxItems: 1000,
      default: [],
    }),
    derive: each(
      Derived,
      "New features, each from columns and from those before it; missing where an input is.",
    ),
    impute: each(Imputation, "What takes the place of missing values."),
    scale: each(Scaling, "Numbers that are centred and scaled, after imputation."),
    encode: each(Encoding, "Categories that become numbers, after imputation."),
  },
  {
    ...closed,
    description:
      "Preprocessing and feature engineering as data: fitted to the accepted data at the beginning of each training, and applied " +
      "alike to training data and to requests.",
  },
);

export type Features = Static<typeof Features>;
export type DerivedFeature = Features["derive"][number];
