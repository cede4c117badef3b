import {
  type Inputs,
  type Program,
  type Registered,
  type Run,
  runProgram as runWith,
  type StandIn,
} from "../../../scripts/programs/run-program.ts";

export type { Inputs, Program, Registered, Run } from "../../../scripts/programs/run-program.ts";

const ZONES = ["eu-west-1c", "eu-west-1a", "eu-west-1b"];

/** Outputs that the programs use and AWS makes up. */
const madeUp = (name: string, inputs: Inputs) => ({
  ...inputs,
  arn: inputs.arn ?? `arn:aws:test:::${name}`,
  keyId: `${name}-id`,
  url: `https://sqs.test/${name}`,
  repositoryUrl: `repository.test/${name}`,
  prefixListId: "pl-6da54004",
  executionArn: `arn:aws:execute-api:eu-west-1:111122223333:${name}`,
  invokeArn: `arn:aws:apigateway:test:lambda:path/${name}`,
  invokeUrl: `https://${name}.test`,
  dnsName: `${name}.test`,
  domainName: inputs.domainName ?? `${name}.test`,
  arnSuffix: `suffix/${name}`,
  version: "1",
});

/** Answers that name the resource, so that a test sees where a value came from. */
const telling: StandIn = {
  create: (_type, name, inputs) => ({ id: `${name}-id`, state: madeUp(name, inputs) }),
  call: (token, inputs) => (token.endsWith(":getAvailabilityZones") ? { names: ZONES } : inputs),
};

/** Runs an inline program against mocks and returns everything that it registered. */
export function runProgram(program: Program, where?: { project: string; stack: string }): Promise<Run> {
  return runWith(program, telling, where);
}

/** AWS resources of a type such as "s3/bucket:Bucket". */
export const ofType = ({ resources }: Run, type: string): Registered[] =>
  resources.filter((resource) => resource.type === `aws:${type}`);

/** AWS resources only: neither components nor the provider. */
export const awsResources = ({ resources }: Run): Registered[] =>
  resources.filter(({ custom, type }) => custom && type.startsWith("aws:"));

/** The one resource of that type and name. */
export function resource(run: Run, type: string, name: string): Registered {
  const found = ofType(run, type).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`The program registered no ${type} named ${name}`);
  return found;
}
