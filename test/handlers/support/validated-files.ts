import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { DatasetRules } from "../../../handlers/dataset/rules.ts";
import { type ValidationRequest, validateData } from "../../../handlers/dataset/validate-data.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

/** A nullable column `a` unless something else is said. */
export const aColumn = (rest: Partial<DatasetColumn> & Pick<DatasetColumn, "type">): DatasetColumn => ({
  name: "a",
  nullable: true,
  maxNullFraction: 1,
  ...rest,
});

/** Public data, with limits that nothing reaches unless something else is said. */
export function rulesOf(
  format: DatasetRules["format"],
  columns: readonly DatasetColumn[],
  quality: Partial<DatasetRules["quality"]> = {},
  rest: Partial<DatasetRules> = {},
): DatasetRules {
  const open = {
    maxNullFraction: 1,
    maxDuplicateFraction: 1,
    driftThreshold: 0.1,
    driftMethod: "psi",
  } as const;
  return { format, columns, classification: "public", quality: { ...open, ...quality }, ...rest };
}

/** Validates contents as files in a folder that is gone after the test file. */
export function fileValidation(now: Date) {
  const folder = mkdtempSync(join(tmpdir(), "validation-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const validate = (
    content: string | Uint8Array,
    rules: DatasetRules,
    rest: Partial<Pick<ValidationRequest, "baseline" | "partBytes" | "signal">> = {},
  ) => {
    const path = join(folder, `[${files++}]*.${rules.format}`);
    writeFileSync(path, content);
    return validateData({ data: { path }, rules, workFolder: folder, now, ...rest });
  };
  return { folder, validate };
}
