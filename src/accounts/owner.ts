import type pg from "pg";
import type { StackOwner } from "../operations/worker.ts";
import { deleteAccount, getAccount, setFoundationReady } from "./store.ts";

/** Runs operations on the foundation of an account. */
export function foundationOwner(pool: pg.Pool): StackOwner {
  return {
    programFor: async ({ team, subject, options }) => {
      if (subject.type !== "account") throw new Error("Not an account's operation");
      const { aws } = await getAccount(pool, team, subject.account);
      const dataOnDestroy = options.data ?? "retain";
      return { name: "foundation", input: { account: aws, dataOnDestroy } };
    },
    onEnded: async (client, { kind, team, subject, stackId }, outcome) => {
      if (subject.type !== "account") return;
      if (kind === "update" && outcome.state === "succeeded") await setFoundationReady(client, stackId, true);
      // However it ended: half a foundation carries no pipeline. Registering the account again completes it.
      if (kind === "destroy") await setFoundationReady(client, stackId, false);
      if (kind === "destroy" && outcome.state === "succeeded")
        await deleteAccount(client, team, subject.account);
    },
  };
}
