import { expect, it } from "vitest";
import { endpoints, readersOf } from "../../../scripts/bench/fleet/endpoints.ts";
import { cursorPart, parseCursor } from "../../../src/http/pages.ts";

const keys = Array.from({ length: 64 }, (_, index) => ({ team: `fleet-${index}`, token: `key-${index}` }));

it.each(endpoints)("%s: each person asks with their own key, about their own team only", (endpoint) => {
  const readers = readersOf(endpoint, keys, 100);
  expect(readers.map(({ token }) => token)).toEqual(keys.map(({ token }) => token));
  readers.forEach(({ paths }, index) => {
    for (const path of paths) expect(path).toMatch(new RegExp(`[/=]fleet-${index}(?![0-9])`));
  });
});

it("no two questions about statuses of one person are the same, so that nothing answers twice", () => {
  for (const { paths } of readersOf("status", keys, 100)) expect(new Set(paths).size).toBe(paths.length);
});

it("the second page is asked for as the first one would have named it", () => {
  const path = readersOf("pipelines", keys, 100)[0]?.paths[1] ?? "";
  const cursor = new URL(path, "http://service").searchParams.get("cursor") ?? undefined;
  expect(parseCursor(cursor, cursorPart.name)).toEqual(["pipeline-0050"]);
});
