import type { CloudControlClient } from "@aws-sdk/client-cloudcontrol";
import type pg from "pg";
import { termsOf } from "../approvals/gate.ts";
import type { AccountClients } from "../aws/account-clients.ts";
import type { StackOwner } from "../operations/stack-owner.ts";
import type { Operation } from "../operations/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import { inTransaction } from "../postgres/pool.ts";
import { discoverSingletons, type RecordedResource } from "./discovery.ts";
import {
  adoptedIn,
  forgetSingletons,
  listSingletons,
  recordSingletons,
  setFoundationReady,
} from "./foundations.ts";
import { type Account, deleteAccount, getAccount } from "./store.ts";

/** Runs operations on the foundation of an account. */
export function foundationOwner(pool: pg.Pool, cloudControl: AccountClients<CloudControlClient>): StackOwner {
  return {
    accountOf: ({ team, subject }) => {
      if (subject.type !== "account") throw new Error("Not an account's operation");
      return getAccount(pool, team, subject.account);
    },
    programFor: async (operation) => {
      const { team, subject, options } = operation;
      if (subject.type !== "account") throw new Error("Not an account's operation");
      const account = await getAccount(pool, team, subject.account);
      if (provisions(operation)) await lookAround(pool, account, cloudControl(account));
      const { profile, securityServices, cidr } = account.settings;
      return {
        name: "foundation",
        input: {
          account: account.aws,
          profile,
          securityServices,
          cidr,
          existing: adoptedIn(await listSingletons(pool, account.stackId)),
          dataOnDestroy: options.data ?? "retain",
        },
      };
    },
    approvalTerms: termsOf,
    onEnded: async (client, operation, outcome) => {
      const { kind, team, subject, stackId, options } = operation;
      if (subject.type !== "account") return;
      if (provisions(operation) && outcome.state === "succeeded")
        await setFoundationReady(client, stackId, true);
      if (kind !== "destroy") return;
      // However it ended: half a foundation carries no pipeline. Registering the account again completes it.
      await setFoundationReady(client, stackId, false);
      if (outcome.state !== "succeeded") return;
      await forgetSingletons(client, stackId);
      if (options.keepsAccount !== true) await deleteAccount(client, team, subject.account);
    },
  };
}

const provisions = ({ kind }: Operation): boolean => kind === "update" || kind === "reconcile";

/** Finds out whose the account's singletons are, before the program decides what to create. */
async function lookAround(pool: pg.Pool, account: Account, client: CloudControlClient): Promise<void> {
  const { aws, stackId, settings } = account;
  const { profile, securityServices, existing } = settings;
  const found = await discoverSingletons(client, {
    account: aws,
    securityServices: profile === "production" || securityServices,
    existing,
    before: await listSingletons(pool, stackId),
    recorded: await recordedResources(pool, stackId),
  });
  await inTransaction(pool, (db) => recordSingletons(db, stackId, found.singletons, found.unlisted));
}

async function recordedResources(db: Queryable, stackId: string): Promise<RecordedResource[]> {
  const found = await db.query<{ type: string; aws_id: string | null; outputs: unknown }>(
    "select type, aws_id, outputs from resources where stack_id = $1",
    [stackId],
  );
  return found.rows.map(({ type, aws_id: awsId, outputs }) => ({ type, awsId, outputs }));
}
