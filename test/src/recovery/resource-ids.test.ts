import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ruleOf } from "../../../src/recovery/resource-ids.ts";

// Of each resource that the reference programs register: phase, type, name.
const inventories = new URL("../../programs/inventories/", import.meta.url);
const lines = readdirSync(inventories).flatMap((file) =>
  readFileSync(new URL(file, inventories), "utf8").trim().split("\n"),
);
const types = [...new Set(lines.map((line) => `aws:${line.split(" ")[1]}`))].sort();

describe("a resource that AWS may have made without anybody having heard of it", () => {
  it.each(types)("can be found again: %s", (type) => {
    expect(ruleOf(type)).toBeDefined();
  });
});
