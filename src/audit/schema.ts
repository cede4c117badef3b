import Type, { type Static } from "typebox";
import { Moment, singleLine, TeamName } from "../http/app-types.ts";
import type { AuditEntry } from "./chain.ts";

const Hash = (description: string) => Type.String({ pattern: "^[0-9a-f]{64}$", description });
const Sequence = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

export const Outcome = Type.Enum(["changed", "denied"], {
  description: "Whether something was changed, or somebody refused",
});

export const EntryView = Type.Object(
  {
    sequence: Type.Optional(
      Sequence("Number in the trail, from 1 without gaps; only for those who may see the whole trail"),
    ),
    at: Moment("When it was recorded"),
    subject: Type.String({
      description:
        "Who did it: `user:` or `key:` and an id, `service`, or `anonymous` for whoever could not be told",
    }),
    label: Type.String({ description: "What people call them" }),
    team: Type.Optional(Type.String({ description: "The team that it is about" })),
    action: Type.String({
      description: "Noun and verb, such as `pipeline.update`; `request.put` for a denied PUT",
    }),
    target: Type.String({ description: "The path of what was changed, or tried" }),
    outcome: Outcome,
    sourceAddress: Type.Optional(Type.String({ description: "Where the request came from" })),
    requestId: Type.String({ description: "The id of the request, as in answers and logs" }),
    before: Type.Optional(Type.Unknown({ description: "What was there before; secrets are masked" })),
    after: Type.Optional(Type.Unknown({ description: "What is there now, or why it was denied" })),
    previousHash: Type.Optional(Hash("Hash of the entry before; only with `sequence`")),
    hash: Type.Optional(Hash("Hash of this entry; only with `sequence`")),
  },
  { description: "An entry of the audit trail" },
);

const filters = {
  team: Type.Optional(TeamName),
  subject: Type.Optional(
    Type.String({ maxLength: 1000, pattern: singleLine, description: "Only what this subject did" }),
  ),
  action: Type.Optional(
    Type.String({ maxLength: 100, pattern: singleLine, description: "Only this action" }),
  ),
  outcome: Type.Optional(Outcome),
  from: Type.Optional(Moment("Only entries from this moment on")),
  to: Type.Optional(Moment("Only entries before this moment")),
};

export const FilterQuery = Type.Object(filters, { additionalProperties: false });
export type FilterQuery = Static<typeof FilterQuery>;

const HeadView = Type.Object(
  { sequence: Sequence("0 before the first entry"), hash: Hash("Its hash") },
  { description: "The last entry that is as it was written" },
);

export const VerificationQuery = Type.Object(
  {
    sequence: Type.Optional(Sequence("Of a head that was noted earlier")),
    hash: Type.Optional(Hash("Of the same head")),
  },
  { additionalProperties: false },
);

export const VerificationView = Type.Object(
  {
    ok: Type.Boolean({ description: "Whether every entry is as it was written, and none is missing" }),
    entries: Type.Integer({
      description: "How many entries are as they were written, up to the first that isn't",
    }),
    head: HeadView,
    broken: Type.Optional(
      Type.Object(
        {
          sequence: Type.Integer({
            description: "The first entry that is missing, or not as it was written",
          }),
          reason: Type.String({ description: "What is wrong with it" }),
        },
        { description: "Where the chain breaks" },
      ),
    ),
  },
  { description: "What following the whole chain found" },
);

/** `whole`: for those who may see the whole trail. What numbers and hashes tell of other teams is not for the rest. */
export function entryView(
  entry: AuditEntry,
  { whole }: { readonly whole: boolean },
): Static<typeof EntryView> {
  const { sequence, at, subject, label, team, action, target, outcome, sourceAddress, requestId } = entry;
  return {
    ...(whole && { sequence }),
    at,
    subject,
    label,
    ...(team !== null && { team }),
    action,
    target,
    outcome,
    ...(sourceAddress !== null && { sourceAddress }),
    requestId,
    ...(entry.before !== null && { before: JSON.parse(entry.before) as unknown }),
    ...(entry.after !== null && { after: JSON.parse(entry.after) as unknown }),
    ...(whole && { previousHash: entry.previousHash, hash: entry.hash }),
  };
}
