import { expect, it } from "vitest";
import type { PendingOperation } from "../../../src/engine/pending.ts";
import { earlyNotice } from "../../../src/engine/unanswered.ts";

const type = "aws:s3/bucket:Bucket";
const create = (name: string) => ({
  op: "create",
  urn: `urn:pulumi:blue.penguins::aidlc-pipeline::${type}::${name}`,
  new: { type, inputs: { bucket: name } },
});

it("what a provider left unanswered is told one after another, and the last that is kept is the most", async () => {
  const answers: PromiseWithResolvers<void>[] = [];
  const asked: (readonly PendingOperation[])[] = [];
  const notice = earlyNotice((entries) => {
    asked.push(entries);
    const answer = Promise.withResolvers<void>();
    answers.push(answer);
    return answer.promise;
  });
  notice.tell([create("raw")]);
  notice.tell([create("raw"), create("validated")]);
  notice.tell([create("validated"), create("raw")]);
  let told = false;
  const all = notice.told().then(() => {
    told = true;
  });

  await Promise.resolve();
  expect(asked.map((entries) => entries.length)).toEqual([1]);
  answers[0]?.reject(new Error("The database is away"));
  while (asked.length < 2) await Promise.resolve();
  expect(asked[1]?.map(({ resource }) => resource.inputs)).toEqual([
    { bucket: "raw" },
    { bucket: "validated" },
  ]);
  expect(told).toBe(false);
  answers[1]?.resolve();
  await all;
  expect(asked).toHaveLength(2);
});
