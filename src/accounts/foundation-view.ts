import type pg from "pg";
import Type, { type Static } from "typebox";
import { PROFILES } from "../../programs/profiles.ts";
import { SINGLETONS } from "../../programs/singletons.ts";
import { Moment } from "../http/app-types.ts";
import { countByPhase, findStack } from "../stacks/store.ts";
import { listSingletons, unlistedTypes } from "./foundations.ts";
import { unusedPolicies } from "./settings.ts";
import { type Account, countSharers } from "./store.ts";

export const FoundationState = Type.Enum(["provisioned", "not_provisioned", "released"], {
  description:
    "Whether pipelines can be put there; a released one is provisioned again by registering the account again",
});

const Adoption = Type.Object(
  {
    type: Type.Enum([...SINGLETONS], { description: "Which of the account-wide resources" }),
    id: Type.String({ description: "Its id or ARN" }),
    since: Moment("When it was first found, or named"),
  },
  { description: "An account-wide resource that is used as it is: never changed and never deleted" },
);

export const FoundationView = Type.Object(
  {
    state: FoundationState,
    profile: Type.Enum([...PROFILES], {
      description: "The strictest that a registration of this AWS account and region asks for",
    }),
    securityServices: Type.Boolean({
      description: "Whether GuardDuty, Security Hub and Access Analyzer watch the account",
    }),
    cidr: Type.String({ description: "Address range of the shared network" }),
    onUnused: Type.Enum([...unusedPolicies], {
      description: "What becomes of it when its last pipeline is removed",
    }),
    adopted: Type.Array(Adoption, { description: "What was there before and is used as it is" }),
    unlisted: Type.Array(Type.String(), {
      description:
        "Types that AWS would not list: where the account has one already, name it in `foundation.existing`",
    }),
    resources: Type.Integer({ description: "AWS resources of the foundation" }),
    sharedBy: Type.Integer({
      description:
        "Registered accounts that stand for the same AWS account and region, of the teams that you see",
    }),
    outputs: Type.Record(Type.String(), Type.Unknown(), { description: "What pipelines take from it" }),
    recordedAt: Type.Optional(Moment("When the outputs were recorded")),
  },
  { description: "A foundation" },
);

export function foundationState({ foundationReady, releasedAt }: Account): Static<typeof FoundationState> {
  if (foundationReady) return "provisioned";
  return releasedAt === null ? "not_provisioned" : "released";
}

/** All that is known of the foundation of an account to somebody who sees the teams in `visible`; undefined: all. */
export async function foundationView(
  pool: pg.Pool,
  account: Account,
  visible: readonly string[] | undefined,
): Promise<Static<typeof FoundationView>> {
  const { stackId, settings } = account;
  const [stack, counts, sharedBy, singletons, unlisted] = await Promise.all([
    findStack(pool, stackId),
    countByPhase(pool, stackId),
    countSharers(pool, stackId, visible),
    listSingletons(pool, stackId),
    unlistedTypes(pool, stackId),
  ]);
  return {
    state: foundationState(account),
    profile: settings.profile,
    securityServices: settings.profile === "production" || settings.securityServices,
    cidr: settings.cidr,
    onUnused: settings.onUnused,
    adopted: singletons.flatMap(({ singleton, ownership, id, since }) =>
      ownership === "adopted" && id !== null ? [{ type: singleton, id, since: since.toISOString() }] : [],
    ),
    unlisted,
    resources: [...counts.values()].reduce((sum, count) => sum + count, 0),
    sharedBy,
    outputs: { ...stack.outputs },
    ...(stack.outputsRecordedAt === null ? {} : { recordedAt: stack.outputsRecordedAt.toISOString() }),
  };
}
