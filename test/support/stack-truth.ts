import { expect } from "vitest";
import type { Requester, TestResponse } from "./service.ts";

/** What the sandbox has of a pipeline, without what is being deleted. */
export async function inventoryOf(
  service: Requester,
  pipeline: string,
): Promise<readonly TestResponse["body"][]> {
  const items = await everything(service, `/sandbox/v1/resources?pipeline=${pipeline}`);
  return items.filter((item) => item.deletionDueAt === undefined);
}

/** What AWS has of a pipeline of the team `research` is what its stack knows, each once. */
export async function expectStateEqualsInventory(service: Requester, pipeline: string): Promise<void> {
  const items = await everything(service, `/v1/teams/research/pipelines/${pipeline}/resources?`);
  const known = items.filter(({ type }) => type.startsWith("aws:")).map(({ type, id }) => `${type} ${id}`);
  const real = (await inventoryOf(service, pipeline)).map(({ type, awsId }) => `${type} ${awsId}`);
  expect(real.filter((one) => !known.includes(one))).toEqual([]);
  // What belongs to the account bears no pipeline's tags.
  const all = (await everything(service, "/sandbox/v1/resources?")).map(
    ({ type, awsId }) => `${type} ${awsId}`,
  );
  expect(known.filter((one) => !all.includes(one))).toEqual([]);
}

/** All items of a list. */
export async function everything(service: Requester, path: string): Promise<TestResponse["body"][]> {
  const items = [];
  for (let cursor = ""; ; ) {
    const { body } = await service.request("GET", `${path}&limit=200${cursor}`);
    items.push(...body.items);
    if (body.nextCursor === undefined) return items;
    cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
  }
}
