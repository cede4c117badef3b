import { writeFileSync } from "node:fs";
import { Verdict } from "../handlers/dataset/verdict.ts";

/** The published form of the schema: a test compares the file with the code. */
writeFileSync(
  new URL("../docs/verdict.schema.json", import.meta.url),
  `${JSON.stringify(Verdict, null, 2)}\n`,
);
