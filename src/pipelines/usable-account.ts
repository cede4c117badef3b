import type pg from "pg";
import type { Profile } from "../../programs/profiles.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { regionProblems } from "../../programs/spec-changes.ts";
import { type Account, foundationOutputs, getAccount, shareFoundation } from "../accounts/store.ts";
import { AppError, type AppErrorDetails } from "../errors.ts";
import { activeChange, type Operation } from "../operations/store.ts";

/**
 * The account of a spec, provisioned and kept so until the transaction has ended; throws `invalid_spec` or
 * `foundation_not_ready`.
 */
export async function usableAccount(
  client: pg.PoolClient,
  team: string,
  spec: PipelineSpec,
): Promise<Account> {
  const known = await getAccount(client, team, spec.account).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    const message = `"${spec.account}" is not an account of team "${team}"`;
    throw new AppError("invalid_spec", error.message, {
      cause: error,
      details: { errors: [{ path: "/account", message }] },
    });
  });
  await shareFoundation(client, known.stackId);
  // Read again, now that nobody can change it any more.
  const account = await getAccount(client, team, spec.account);
  const change = await activeChange(client, account.stackId);
  if (change?.kind === "destroy" || (change && !account.foundationReady)) {
    throw new AppError(
      "foundation_not_ready",
      "An operation is working on the foundation: wait until it has ended",
      { details: inTheWay(change) },
    );
  }
  const { profile } = await foundationOutputs(client, account);
  if (spec.profile === "production") checkProduction(account, profile, change);
  const errors = [...regionProblems(spec, account.aws.region)];
  if (errors.length > 0) {
    throw new AppError("invalid_spec", "The spec does not fit the account's region", { details: { errors } });
  }
  return account;
}

function inTheWay({ id, team }: Operation): AppErrorDetails {
  return { operation: { id, team }, retryAfterSeconds: 5 };
}

/** A production pipeline stands on a foundation that is meant to be, and is, production. */
function checkProduction(account: Account, provisioned: Profile, change: Operation | undefined): void {
  const { name, team, settings } = account;
  if (settings.profile !== "production") {
    const remedy = `PUT /v1/teams/${team}/accounts/${name} with foundation.profile "production" first`;
    const message = `needs a production foundation, but that of account "${name}" is ${settings.profile}: ${remedy}`;
    throw new AppError("foundation_insufficient", `The profile production ${message}`, {
      details: { errors: [{ path: "/profile", message }] },
    });
  }
  if (provisioned === "production") return;
  throw new AppError(
    "foundation_not_ready",
    `The foundation of account "${name}" is not production yet: wait until its operation has succeeded, or PUT the account again`,
    { details: change === undefined ? {} : inTheWay(change) },
  );
}
