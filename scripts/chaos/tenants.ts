import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Body, json } from "../service/client.ts";
import type { SpecVariant } from "./plan.ts";

/** A pipeline that chaos plays with. */
export interface Tenant {
  readonly team: string;
  readonly pipeline: string;
  readonly path: string;
}

export const accounts: Readonly<Record<string, string>> = { red: "111122223333", blue: "444455556666" };
export const accountAlias = "main";
export const region = "eu-central-1";

const example = readFileSync(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");

/** Pipelines for all teams in turn. */
export function tenantsOf(count: number): readonly Tenant[] {
  const teams = Object.keys(accounts);
  return Array.from({ length: count }, (_, index) => {
    const team = teams[index % teams.length] as string;
    const pipeline = `flock-${Math.floor(index / teams.length) + 1}`;
    return { team, pipeline, path: `/v1/teams/${team}/pipelines/${pipeline}` };
  });
}

/** The example spec with these differences. */
export function specBody(variant: SpecVariant): Body {
  const spec = parse(example);
  const { schedule, ...training } = spec.training;
  return json({
    ...spec,
    account: accountAlias,
    training: variant.isScheduled ? { ...training, schedule } : training,
    monitoring: {
      ...spec.monitoring,
      logRetentionDays: variant.logRetentionDays,
      alarms: { quarantinedFraction: variant.quarantinedFraction },
    },
    ...(variant.hasNotebook && {
      notebook: { instanceType: "ml.t3.medium", stopSchedule: "cron(0 18 * * ? *)" },
    }),
    ...(variant.hasOwnNetwork && { network: { dedicated: true } }),
  });
}
