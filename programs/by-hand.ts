import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Value } from "typebox/value";
import { parse } from "yaml";
import { FoundationOutputs } from "./foundation-outputs.ts";
import type { AwsAccount, DataOnDestroy, PipelineInput } from "./inputs.ts";
import { type OrganizationInput, organizationProgram } from "./organization.ts";
import { pipelineProgram } from "./pipeline.ts";
import { type PipelineSpec, parseSpec, specProblems } from "./spec.ts";

function readSpec(path: string): PipelineSpec {
  const spec = parseSpec(parse(readFileSync(path, "utf8")));
  const problems = specProblems(spec);
  if (problems.length > 0) {
    throw new Error(`${path}: ${problems.map(({ path: at, message }) => `${at} ${message}`).join("; ")}`);
  }
  return spec;
}

function readFoundation(path: string): FoundationOutputs {
  const outputs: unknown = JSON.parse(readFileSync(path, "utf8"));
  Value.Assert(FoundationOutputs, outputs);
  return outputs;
}

function readAccount(
  config: pulumi.Config,
  { accountId, region }: Pick<AwsAccount, "accountId" | "region">,
): AwsAccount {
  const roleArn = config.get("roleArn");
  return { accountId, region, ...(roleArn !== undefined && { roleArn }) };
}

/** The stack is `<team>.<pipeline>`, as the service names it, so that both work on the same state. */
function readInput(): PipelineInput {
  const config = new pulumi.Config();
  const [team, pipeline, ...rest] = pulumi.getStack().split(".");
  if (team === undefined || pipeline === undefined || rest.length > 0) {
    throw new Error(`Stack "${pulumi.getStack()}" is not named <team>.<pipeline>`);
  }
  const foundation = readFoundation(config.require("foundationFile"));
  return {
    team,
    pipeline,
    spec: readSpec(config.require("specFile")),
    account: readAccount(config, foundation),
    foundation,
    dataOnDestroy:
      config.get<DataOnDestroy>("dataOnDestroy", { allowedValues: ["retain", "delete"] }) ?? "retain",
  };
}

function readOrganization(): OrganizationInput {
  const config = new pulumi.Config();
  const account = { accountId: config.require("managementAccount"), region: config.require("region") };
  return {
    account: readAccount(config, account),
    targets: config.requireObject<string[]>("targets"),
    regions: config.requireObject<string[]>("regions"),
    exemptRoles: config.getObject<string[]>("exemptRoles") ?? [],
  };
}

/** Entry of the top-level Pulumi.yaml: a pipeline's program without the service, or the organization's guardrails. */
export default () => {
  const program = new pulumi.Config().get("program", { allowedValues: ["pipeline", "organization"] });
  return program === "organization"
    ? organizationProgram(readOrganization())()
    : pipelineProgram(readInput())();
};
