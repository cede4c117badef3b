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

const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** To the microsecond, as validation keeps it. Without a zone it is UTC; a zone may have hours only. */
function moment(text: string): string | undefined {
  const [, day, time, fraction = "", zone = "Z"] = MOMENT.exec(text.trim()) ?? [];
  const offset = zone.replace(/^(.\d\d):?(\d\d)?$/, (_, hours, minutes = "00") => `${hours}:${minutes}`);
  const spelled = day === undefined ? [`${text}Z`, text] : [`${day}T${time}${offset.toUpperCase()}`];
  const milliseconds = spelled.map((one) => Date.parse(one)).find((parsed) => !Number.isNaN(parsed));
  if (milliseconds === undefined) return undefined;
  if (fraction === "") return new Date(milliseconds).toISOString();
  const micros = fraction.padEnd(6, "0").slice(0, 6).replace(/000$/, "");
  return new Date(milliseconds).toISOString().replace("000Z", `${micros}Z`);
}
