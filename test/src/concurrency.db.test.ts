import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsAccount, validSpec } from "../support/builders.ts";
import { type Answer, type Api, startApi } from "./api.ts";
import { withBudget } from "./pipelines/pipeline-requests.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

describe("many who change the same things at once", () => {
  it("are each answered with success or a conflict, and what they leave fits together", async () => {
    const team = await api.teamWithAccount();
    const pipeline = (name: string) => `/v1/teams/${team}/pipelines/${name}`;
    const account = `/v1/teams/${team}/accounts/main`;
    const requests: (() => Promise<Answer>)[] = [];
    for (let round = 0; round < 6; round++) {
      for (const name of ["a", "b"]) {
        requests.push(
          () => api.send("PUT", pipeline(name), { body: withBudget(30 + round) }),
          () => api.send("PATCH", pipeline(name), { body: { training: { instanceCount: 1 + round } } }),
          () => api.send("POST", `${pipeline(name)}/previews`, { body: validSpec() }),
          () =>
            api.send("POST", `/v1/teams/${team}/pipelines`, {
              body: { name, spec: validSpec() },
              headers: { "idempotency-key": `key-${name}-${round}` },
            }),
        );
      }
      requests.push(
        () => api.send("DELETE", account),
        () => api.send("PUT", account, { body: awsAccount() }),
        () => api.send("DELETE", `/v1/teams/${team}`),
      );
    }
    const answers = await Promise.all(requests.map((request) => request()));
    const unexpected = answers.filter(({ status }) => ![202, 204, 404, 409].includes(status));
    expect(unexpected.map(({ status, body }) => [status, body.detail])).toEqual([]);

    const found = await api.database.pool.query(
      `select
         (select count(*) from pipelines p join teams t on t.name = p.team
           where p.deleted_at is null and t.deleted_at is not null) as "pipelines of no team",
         (select count(*) from pipelines p where p.deleted_at is null and not exists (
           select from revisions r where r.pipeline_id = p.id and r.number = p.desired_revision)) as "without revision",
         (select count(*) from (select from operations where state = 'queued' and kind = 'update'
           group by stack_id having count(*) > 1) x) as "stacks with two queued updates",
         (select count(*) from pipelines p join accounts a on a.team = p.team and a.name = p.account
           join foundations f using (aws_account_id, region)
           join operations o on o.stack_id = f.stack_id and o.kind = 'destroy' and o.state = 'queued'
           where p.deleted_at is null) as "on a foundation being destroyed"`,
    );
    expect(found.rows[0]).toEqual({
      "pipelines of no team": 0,
      "without revision": 0,
      "stacks with two queued updates": 0,
      "on a foundation being destroyed": 0,
    });
  }, 30_000);
});
