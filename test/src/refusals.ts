import { expect } from "vitest";
import type { Api, RequestOptions } from "./api.ts";

/** How many rows there are of everything a request could make. */
async function contents(api: Api): Promise<unknown> {
  const found = await api.database.pool.query(
    `select (select count(*) from teams) as teams, (select count(*) from accounts) as accounts,
       (select count(*) from pipelines) as pipelines, (select count(*) from revisions) as revisions,
       (select count(*) from operations) as operations, (select count(*) from stacks) as stacks,
       (select count(*) from idempotent_requests) as keys, (select count(*) from webhooks) as webhooks`,
  );
  return found.rows[0];
}

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly paths?: readonly string[];
}

/** Sends a request and expects a problem in full form that has changed nothing. */
export async function expectRefusal(
  api: Api,
  method: string,
  url: string,
  options: RequestOptions,
  refusal: Refusal,
): Promise<void> {
  const before = await contents(api);
  const { status, headers, body } = await api.send(method, url, options);
  expect(body).toMatchObject({ code: refusal.code });
  expect(status).toBe(refusal.status);
  if (refusal.paths) {
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual(
      [...refusal.paths].sort(),
    );
    for (const error of body.errors) expect(error.message).not.toBe("");
  }
  expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({
    type: `urn:aidlc:problem:${refusal.code}`,
    title: refusal.code.replaceAll("_", " "),
    status: refusal.status,
    detail: expect.stringMatching(/./),
    instance: headers["x-request-id"],
  });
  expect(await contents(api)).toEqual(before);
}
