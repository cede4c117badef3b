import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "SECURITY.md"), "utf8");

it("SECURITY.md names files that exist", () => {
  const named = [...text.matchAll(/`((?:src|programs|scripts|test)\/[\w./-]+)`|\]\((?!https:)([\w./-]+)\)/g)];
  const files = named.map(([, code, link]) => code ?? link ?? "");
  expect(files.length).toBeGreaterThan(40);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
