import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { policies } from "../../../programs/policies/index.ts";
import { policyPage } from "../../../scripts/policies/page.ts";

it("docs/policies.md is what the policies say now: run `node scripts/policies/main.ts`", async () => {
  const page = await readFile(new URL("../../../docs/policies.md", import.meta.url), "utf8");
  expect(page).toBe(policyPage());
});

it("the page has a row for every policy", () => {
  const page = policyPage();
  for (const { id } of policies) expect(page.split(`| \`${id}\` |`)).toHaveLength(2);
});
