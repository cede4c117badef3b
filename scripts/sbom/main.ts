import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { billOfMaterials } from "./bill.ts";

const root = dirname(dirname(import.meta.dirname));
const file = "sbom.cdx.json";

const bill = await billOfMaterials(root);
await writeFile(join(root, file), `${JSON.stringify(bill, undefined, 2)}\n`);
process.stdout.write(`${file}: ${bill.components.length} components\n`);
