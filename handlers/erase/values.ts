import type { DatasetColumn } from "../../programs/spec.ts";

type ColumnType = DatasetColumn["type"];

/**
 * A value as a file may hold it, written in the one way in which equal values are equal texts: 1, 1.0 and 1e0 are one integer, and a
 * moment is one moment in every time zone. Undefined for what is no value of the type.
 */
export function normalized(type: ColumnType, value: unknown): string | undefined {
  if (value === null || value === undefined || typeof value === "object") return undefined;
  const text = String(value);
  switch (type) {
    case "string":
    case "date":
      return text;
    case "boolean":
      return BOOLEANS[text.toLowerCase()];
    case "integer":
      return wholeNumber(text);
    case "number": {
      const number = text.trim() === "" ? Number.NaN : Number(text);
      return Number.isFinite(number) ? String(number) : undefined;
    }
    case "timestamp":
      return moment(text);
  }
}

const BOOLEANS: Readonly<Record<string, string>> = {
  true: "true",
  false: "false",
  "1": "true",
  "0": "false",
};

function wholeNumber(text: string): string | undefined {
  const digits = /^\s*([+-]?\d+)(?:\.0*)?\s*$/.exec(text)?.[1];
  if (digits !== undefined) return BigInt(digits.replace("+", "")).toString();
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isInteger(number) ? BigInt(number).toString() : undefined;
}

/** Without a zone it is UTC. */
function moment(text: string): string | undefined {
  const zoned = /(?:[zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`;
  const milliseconds = Date.parse(zoned.replace(" ", "T"));
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds).toISOString();
}
