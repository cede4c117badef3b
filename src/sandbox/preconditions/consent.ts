import { find, type Intent, named, text, types } from "./intent.ts";

/** Whether a queue's, topic's, function's or key's own policy names a service. What belongs to other accounts can't be looked into. */

export async function queueAllows(intent: Intent, arn: string, principal: string): Promise<boolean> {
  const queue = await named(intent, types.queue, arn);
  if (!queue) return true;
  const [policy] = await find(intent, types.queuePolicy, "queueUrl", queue.aws_id);
  return (text(queue.outputs.policy) + text(policy?.outputs.policy)).includes(principal);
}

export async function topicAllows(intent: Intent, arn: string, principal: string): Promise<boolean> {
  const topic = await named(intent, types.topic, arn);
  if (!topic) return true;
  const [policy] = await find(intent, types.topicPolicy, "arn", arn);
  return (text(topic.outputs.policy) + text(policy?.outputs.policy)).includes(principal);
}

export async function functionAllows(intent: Intent, arn: string, principal: string): Promise<boolean> {
  const unqualified = arn.split(":").slice(0, 7).join(":");
  const fn = await named(intent, types.lambda, unqualified);
  if (!fn) return true;
  for (const name of [unqualified, fn.aws_id, arn]) {
    const permissions = await find(intent, types.lambdaPermission, "function", name);
    if (permissions.some(({ outputs }) => outputs.principal === principal)) return true;
  }
  return false;
}

/** `service` is the beginning of its principal, as `logs.`, which a region may follow. */
export async function keyAllows(intent: Intent, arn: string, service: string): Promise<boolean> {
  const key = await named(intent, types.key, arn);
  if (!key) return true;
  const [policy] = await find(intent, types.keyPolicy, "keyId", key.aws_id);
  return (text(key.outputs.policy) + text(policy?.outputs.policy)).includes(service);
}

export async function bucketAllows(intent: Intent, bucket: string, principal: string): Promise<boolean> {
  const found = await intent.store.findAnywhere(types.bucket, intent.account, bucket);
  if (!found) return true;
  const [policy] = await find(intent, types.bucketPolicy, "bucket", bucket);
  return text(policy?.outputs.policy).includes(principal);
}
