import { writeFile } from "node:fs/promises";
import { policyPage } from "./page.ts";

await writeFile(new URL("../../docs/policies.md", import.meta.url), policyPage());
