import Type, { type Static } from "typebox";
import { Moment, singleLine, TeamName } from "../http/app-types.ts";
import { type Delivery, deliveryStates } from "./deliveries.ts";
import { webhookEventFilters, webhookEventTypes } from "./event-types.ts";
import type { StoredWebhook } from "./store.ts";

export const WebhookId = Type.String({ format: "uuid", description: "Id of a webhook" });
export const DeliveryId = Type.String({ format: "uuid", description: "Id of a delivery" });

const Url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: "Where events are sent to: an https:// address on the public internet, port 443 or 8443",
});
const Description = Type.String({
  maxLength: 200,
  pattern: singleLine,
  description: "What people call it",
});
const Events = Type.Array(Type.Enum([...webhookEventFilters], { description: "A type, or all of a kind" }), {
  minItems: 1,
  maxItems: 50,
  uniqueItems: true,
  description: "What it is told of: types of events, `operation.*` for all of a kind, `*` for everything",
});

export const WebhookBody = Type.Object(
  { url: Url, description: Type.Optional(Description), events: Events },
  { additionalProperties: false, description: "A new webhook" },
);

export const WebhookPatch = Type.Object(
  {
    url: Type.Optional(Url),
    description: Type.Optional(Description),
    events: Type.Optional(Events),
    enabled: Type.Optional(
      Type.Boolean({ description: "false: nothing is sent, and what happens meanwhile isn't told later" }),
    ),
  },
  { additionalProperties: false, minProperties: 1, description: "What is to change" },
);

const fields = {
  id: WebhookId,
  team: TeamName,
  url: Url,
  description: Description,
  events: Events,
  enabled: Type.Boolean({ description: "Whether anything is sent" }),
  disabledAt: Type.Optional(Moment("Since when nothing is sent")),
  disabledReason: Type.Optional(Type.String({ description: "Why nothing is sent" })),
  failingSince: Type.Optional(Moment("Since when the receiver has taken nothing, though something was sent")),
  createdBy: Type.String({ description: "The subject that made it" }),
  createdAt: Moment("When it was made"),
  updatedAt: Moment("When it was last changed"),
};
const secret = Type.String({
  description: "`whsec_…`, by which the receiver checks signatures: it is shown this one time",
});

export const WebhookView = Type.Object(fields, { description: "An address that a team is told at" });
export const NewWebhookView = Type.Object(
  { ...fields, secret },
  { description: "A webhook with its secret" },
);
export const SecretView = Type.Object(
  { secret, previousUntil: Moment("Until when messages are also signed with the secret before") },
  { description: "The next secret of a webhook" },
);

export function webhookView(webhook: StoredWebhook): Static<typeof WebhookView> {
  const { id, team, url, description, events, disabledAt, disabledReason, failingSince, createdBy } = webhook;
  return {
    id,
    team,
    url,
    description,
    // Checked when they came in.
    events: [...events] as Static<typeof Events>,
    enabled: disabledAt === null,
    ...(disabledAt === null ? {} : { disabledAt: disabledAt.toISOString() }),
    ...(disabledReason === null ? {} : { disabledReason }),
    ...(failingSince === null ? {} : { failingSince: failingSince.toISOString() }),
    createdBy,
    createdAt: webhook.createdAt.toISOString(),
    updatedAt: webhook.updatedAt.toISOString(),
  };
}

/** For the audit trail, which is kept for good: whoever knows the whole address can write there. */
export function auditedWebhook(webhook: StoredWebhook) {
  return { ...webhookView(webhook), url: new URL(webhook.url).origin };
}

/** It changes with whatever a caller can change. */
export function webhookEtag({ version }: StoredWebhook): string {
  return `"${version}"`;
}

const deliveryFields = {
  id: DeliveryId,
  event: Type.String({
    format: "uuid",
    description: "Id of the event, which it is sent under: `webhook-id`",
  }),
  type: Type.Enum([...webhookEventTypes], { description: "What happened" }),
  about: Type.String({ description: "What it is about, in whose order it is sent: `pipelines/churn`" }),
  at: Moment("When it happened"),
  state: Type.Enum([...deliveryStates], {
    description: "pending: to be sent, or sent again; delivered: taken; dead: given up",
  }),
  attempts: Type.Integer({ description: "How often it was sent" }),
  nextAttemptAt: Type.Optional(Moment("When it is sent next; later where older ones are still to be taken")),
  lastAttemptAt: Type.Optional(Moment("When it was last sent")),
  lastStatus: Type.Optional(Type.Integer({ description: "What the receiver answered" })),
  lastError: Type.Optional(Type.String({ description: "Why the receiver did not take it" })),
  createdAt: Moment("When it was queued"),
  endedAt: Type.Optional(Moment("When it was taken, or given up")),
};

export const DeliveryView = Type.Object(deliveryFields, { description: "An event on its way to a webhook" });
export const WholeDeliveryView = Type.Object(
  {
    ...deliveryFields,
    data: Type.Record(Type.String(), Type.Unknown(), { description: "What the event tells" }),
  },
  { description: "An event on its way to a webhook, with what it tells" },
);

export function deliveryView(delivery: Delivery): Static<typeof DeliveryView> {
  const { id, eventId, type, about, at, state, attempts, lastAttemptAt, lastStatus, lastError, endedAt } =
    delivery;
  return {
    id,
    event: eventId,
    // The outbox is written to by this service only.
    type: type as Static<typeof DeliveryView>["type"],
    about,
    at: at.toISOString(),
    state,
    attempts,
    ...(state === "pending" ? { nextAttemptAt: delivery.nextAttemptAt.toISOString() } : {}),
    ...(lastAttemptAt === null ? {} : { lastAttemptAt: lastAttemptAt.toISOString() }),
    ...(lastStatus === null ? {} : { lastStatus }),
    ...(lastError === null ? {} : { lastError }),
    createdAt: delivery.createdAt.toISOString(),
    ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }),
  };
}
