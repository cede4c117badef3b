import { describe, expect, it } from "vitest";
import { PipelineRequests, withBudget } from "./pipeline-requests.ts";
import { pipelineScene } from "./pipeline-scene.ts";

const scene = pipelineScene();

const confirmation = (data: string | undefined) =>
  data === "delete" ? `&confirm=${scene.team}/${scene.churn.name}` : "";
const operation = async (id: string) => (await scene.api.send("GET", `/v1/operations/${id}`)).body;
const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);

describe("deleting a pipeline", () => {
  it("destroys it: data stays unless told otherwise", async () => {
    for (const [query, data] of [
      ["", "retain"],
      ["?data=delete", "delete"],
    ]) {
      scene.churn = new PipelineRequests(scene.api, scene.team);
      await scene.churn.put();
      const { status, body } = await scene.api.send(
        "DELETE",
        `${scene.churn.url}${query}${confirmation(data)}`,
      );
      expect(status).toBe(202);
      expect(body).toMatchObject({ kind: "destroy", state: "queued" });
      expect((await sql("select options from operations where id = $1", [body.id])).rows[0].options).toEqual({
        data,
      });
      expect((await scene.churn.read()).state).toBe("destroying");
    }
  });

  it("lets no change follow, and names the destroy; checks still pass", async () => {
    const { body: update } = await scene.churn.put();
    await scene.churn.applied(update.id);
    const { body: destroy } = await scene.churn.delete();
    const refusals = [
      await scene.churn.put(withBudget(50)),
      await scene.churn.patch({ budget: { monthlyUsd: 50 } }),
      await scene.churn.delete(),
      await scene.api.send("POST", `${scene.churn.url}/reconciliations`),
      await scene.api.send("POST", `${scene.churn.url}/refreshes`),
    ];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ status: 409, body: { code: "stack_busy", operation: destroy.id } });
    }
    expect(await scene.churn.revisions()).toHaveLength(1);
    expect((await scene.api.send("POST", `${scene.churn.url}/drift-checks`)).status).toBe(202);
  });

  it("can be called off while it is queued, and changes are possible again", async () => {
    const { body: update } = await scene.churn.put();
    await scene.churn.applied(update.id);
    const { body: destroy } = await scene.churn.delete();
    expect((await scene.api.send("POST", `/v1/operations/${destroy.id}/cancel`)).body.state).toBe(
      "cancelled",
    );
    expect((await scene.churn.put(withBudget(50))).status).toBe(202);
  });

  it("that was called off before it began leaves the pipeline as it was", async () => {
    const { body: update } = await scene.churn.put();
    await scene.churn.applied(update.id);
    expect((await scene.churn.read()).state).toBe("ready");
    const { body: destroy } = await scene.churn.delete();
    await scene.api.send("POST", `/v1/operations/${destroy.id}/cancel`);
    expect((await scene.churn.read()).state).toBe("ready");
  });

  it("frees its name; a new one begins at revision 1 and the old one's history can still be read", async () => {
    const { body: update } = await scene.churn.put();
    await scene.churn.applied(update.id);
    await scene.churn.put(withBudget(50));
    const old = await scene.churn.read();
    const { body: destroy } = await scene.churn.delete();
    await scene.churn.destroyed(destroy.id);
    expect((await scene.api.send("GET", scene.churn.url)).body.code).toBe("pipeline_not_found");
    expect((await scene.churn.put()).status).toBe(202);
    expect(await scene.churn.read()).toMatchObject({ desiredRevision: 1, state: "provisioning" });
    expect((await scene.churn.read()).id).not.toBe(old.id);
    expect(await scene.churn.revisions()).toHaveLength(1);
    const { body: history } = await scene.api.send(
      "GET",
      `/v1/operations?team=${scene.team}&pipeline=${scene.churn.name}`,
    );
    const ids = history.items.map((item: { id: string }) => item.id);
    expect(ids).toEqual(expect.arrayContaining([update.id, destroy.id]));
    expect((await operation(destroy.id)).state).toBe("succeeded");
    expect((await sql("select count(*) from revisions where pipeline_id = $1", [old.id])).rows[0].count).toBe(
      2,
    );
  });

  it("lets its team go afterwards, whose history stays as well", async () => {
    const own = await scene.api.teamWithAccount();
    scene.churn = new PipelineRequests(scene.api, own);
    const { body: update } = await scene.churn.put();
    const { body: destroy } = await scene.churn.delete();
    await scene.churn.destroyed(destroy.id);
    await sql("delete from accounts where team = $1", [own]);
    expect((await scene.api.send("DELETE", `/v1/teams/${own}`)).status).toBe(204);
    expect((await operation(update.id)).team).toBe(own);
  });
});

describe("deleting a pipeline's data", () => {
  const bucket = { type: "aws:s3/bucket:Bucket", name: "raw", awsId: "aidlc-raw-1" };
  const holds = async (resources: readonly (typeof bucket)[]) => {
    const { rows } = await sql("select stack_id from pipelines where id = $1", [
      (await scene.churn.read()).id,
    ]);
    for (const [position, { type, name, awsId }] of resources.entries()) {
      await sql(
        `insert into resources (stack_id, urn, position, type, name, aws_id, dependencies, inputs, outputs)
         values ($1, $2, $3, $4, $5, $6, '{}', '{}', '{}')`,
        [rows[0].stack_id, `urn:${name}`, position, type, name, awsId],
      );
    }
  };
  const refused = (confirm = "") => scene.api.send("DELETE", `${scene.churn.url}?data=delete${confirm}`);

  it("without its name typed out changes nothing, and tells what would be lost", async () => {
    await scene.churn.put();
    await holds([
      bucket,
      { type: "aws:s3/bucket:Bucket", name: "models", awsId: "aidlc-models-1" },
      { type: "aws:kms/key:Key", name: "data", awsId: "k-1" },
      { type: "aws:iam/role:Role", name: "training", awsId: "r-1" },
    ]);
    const before = await scene.churn.read();
    const { status, body } = await refused();
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "confirmation_required" });
    expect(body.detail).toContain("2 buckets, 1 key for good");
    expect(body.detail).toContain(`confirm=${scene.team}/${scene.churn.name}`);
    expect(body.losses).toEqual([
      { type: "aws:s3/bucket:Bucket", name: "raw", id: "aidlc-raw-1" },
      { type: "aws:s3/bucket:Bucket", name: "models", id: "aidlc-models-1" },
      { type: "aws:kms/key:Key", name: "data", id: "k-1" },
    ]);
    expect(await scene.churn.read()).toEqual(before);
  });

  it("is not confirmed by another pipeline's name", async () => {
    await scene.churn.put();
    await holds([bucket]);
    for (const name of [scene.churn.name, `${scene.team}/other`, `other/${scene.churn.name}`, "yes"]) {
      expect((await refused(`&confirm=${name}`)).body.code).toBe("confirmation_required");
    }
  });

  it("needs the confirmation also where nothing is recorded yet: a partial creation may have left data", async () => {
    await scene.churn.put();
    const { body } = await refused();
    expect(body).toMatchObject({ code: "confirmation_required", losses: [] });
    expect(body.detail).toContain("nothing is recorded");
  });

  it("is submitted with it", async () => {
    await scene.churn.put();
    await holds([bucket]);
    expect((await refused(`&confirm=${scene.team}/${scene.churn.name}`)).body).toMatchObject({
      kind: "destroy",
    });
  });
});
