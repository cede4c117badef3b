import { operationStates } from "../operations/states.ts";

/** What a team can be told of. */
export const webhookEventTypes = [
  ...operationStates.map((state) => `operation.${state}` as const),
  "approval.requested",
  "drift.found",
  "pipeline.expiring",
  "pipeline.extended",
  "webhook.test",
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** What a webhook can ask for: types of events, all of a kind, or all. */
export const webhookEventFilters = [
  "*",
  ...new Set(webhookEventTypes.map((type) => `${type.split(".")[0]}.*`)),
  ...webhookEventTypes,
] as const;
