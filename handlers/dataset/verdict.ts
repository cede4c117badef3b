import Type, { type Static } from "typebox";

const closed = { additionalProperties: false } as const;

const count = (description: string) => Type.Integer({ description, minimum: 0 });
const share = (description: string) => Type.Number({ description, minimum: 0, maximum: 1 });

export const CHECKS = [
  "structure",
  "encoding",
  "size",
  "columns",
  "type",
  "nulls",
  "range",
  "enum",
  "pattern",
  "duplicates",
  "keys",
  "volume",
  "freshness",
  "anomalies",
  "drift",
] as const;

export const Reason = Type.Object(
  {
    check: Type.Enum([...CHECKS], { description: "Which check found it." }),
    code: Type.String({ description: "What was found, for machines.", pattern: "^[a-z][a-z_]*$" }),
    severity: Type.Enum(["warning", "critical"], {
      description: "critical: the file is not accepted. warning: it is.",
    }),
    message: Type.String({ description: "What was found, for people. Holds no value of the data." }),
    column: Type.Optional(Type.String({ description: "Declared column that it is about." })),
    record: Type.Optional(count("Record at which reading ended, counted from 1 without the header.")),
    count: Type.Optional(count("How many values or rows.")),
    fraction: Type.Optional(Type.Number({ description: "Their share.", minimum: 0 })),
    limit: Type.Optional(
      Type.Union([Type.Number(), Type.String()], { description: "What would have been accepted." }),
    ),
    score: Type.Optional(Type.Number({ description: "Drift score, or age in hours." })),
    samples: Type.Optional(
      Type.Array(Type.String({ maxLength: 80 }), {
        description:
          "Up to five different values: as they stand where the data is public, as shapes (A a 9) where it is internal, none otherwise.",
        maxItems: 5,
      }),
    ),
  },
  closed,
);
export type Reason = Static<typeof Reason>;

const ColumnDrift = Type.Object(
  {
    name: Type.String({ description: "Column." }),
    score: Type.Number({ description: "By the declared method." }),
    test: Type.Enum(["kolmogorov-smirnov", "chi-square"], { description: "Test that suits the column." }),
    statistic: Type.Number({ description: "Of the test." }),
    pValue: Type.Number({ description: "Of the test.", minimum: 0, maximum: 1 }),
    bins: Type.Array(
      Type.Object({ expected: share("In the baseline."), actual: share("In the file.") }, closed),
      { description: "Shares of rows that psi compares." },
    ),
  },
  closed,
);

const Drift = Type.Object(
  {
    method: Type.Enum(["psi", "ks"], { description: "Declared method." }),
    score: Type.Number({ description: "The worst column's." }),
    column: Type.Optional(Type.String({ description: "The worst column." })),
    baseline: Type.Optional(Type.String({ description: "Version of the baseline." })),
    columns: Type.Array(ColumnDrift, { description: "Each column that was compared." }),
  },
  { ...closed, description: "How far the data is from the baseline, where there is one." },
);

export const Verdict = Type.Object(
  {
    version: Type.Literal(1, { description: "Version of this format." }),
    outcome: Type.Enum(["accepted", "quarantined"], {
      description: "A file is accepted whole or not at all.",
    }),
    severity: Type.Enum(["none", "warning", "critical"], {
      description: "The most severe of the reasons: everything but drift is critical.",
    }),
    format: Type.Enum(["csv", "jsonl", "parquet"], { description: "What the file was read as." }),
    bytes: count("Size of the file."),
    sha256: Type.String({ description: "SHA-256 of the file.", pattern: "^[0-9a-f]{64}$" }),
    schemaDigest: Type.String({
      description: "SHA-256 of the declared format and columns.",
      pattern: "^[0-9a-f]{64}$",
    }),
    rows: count("Rows that were read: all of them unless reading ended early."),
    nullFraction: share("Share of nulls among all values."),
    duplicateRows: count("Rows that equal an earlier one in every value."),
    reasons: Type.Array(Reason, { description: "Everything that was found, rejections first." }),
    drift: Type.Optional(Drift),
    checkedAt: Type.String({ description: "When, in UTC.", format: "date-time" }),
  },
  {
    ...closed,
    $id: "urn:aidlc:verdict:1",
    title: "Verdict",
    description: "What the validation of one file came to.",
  },
);
export type Verdict = Static<typeof Verdict>;
