import * as pulumi from "@pulumi/pulumi";

export type Inputs = Readonly<Record<string, unknown>>;

export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Types from the outermost component to the resource itself, as in its URN. */
  readonly typeChain: readonly string[];
  readonly inputs: Inputs;
  readonly custom: boolean;
  readonly retainOnDelete: boolean;
}

export interface Run {
  readonly resources: readonly Registered[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export type Program = () => Promise<Record<string, unknown>>;

/** The part of the engine's registration request that tests look at. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getRetainondelete(): boolean;
}

interface Monitor {
  registerResource(request: Request, ...rest: readonly unknown[]): unknown;
}

const ZONES = ["eu-west-1c", "eu-west-1a", "eu-west-1b"];

/** Outputs that the programs use and AWS makes up. */
const madeUp = (name: string, inputs: Inputs) => ({
  ...inputs,
  arn: inputs.arn ?? `arn:aws:test:::${name}`,
  keyId: `${name}-id`,
  url: `https://sqs.test/${name}`,
  repositoryUrl: `repository.test/${name}`,
  prefixListId: "pl-6da54004",
});

/** Runs an inline program against mocks and returns everything that it registered. */
export async function runProgram(
  program: Program,
  { project, stack } = { project: "test", stack: "test" },
): Promise<Run> {
  // The SDK records a stack for each of thousands of promises: half of the time of a run.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await runAgainstMocks(program, project, stack);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runAgainstMocks(program: Program, project: string, stack: string): Promise<Run> {
  const inputsOf = new Map<string, Inputs>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        inputsOf.set(`${type}::${name}`, inputs);
        return { id: `${name}-id`, state: madeUp(name, inputs) };
      },
      call: ({ token, inputs }) => (token.endsWith(":getAvailabilityZones") ? { names: ZONES } : inputs),
    },
    project,
    stack,
    false,
  );
  const requests = recordRequests();
  const outputs = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    Promise.resolve()
      .then(program)
      .then((promised) => pulumi.output(promised).apply(resolve), reject);
  });
  // Resources that no output waits for may still be registering.
  await pulumi.runtime.disconnect();
  return {
    outputs,
    resources: requests.map((request) => ({
      type: request.getType(),
      name: request.getName(),
      typeChain: [...typesOf(request.getParent()), request.getType()],
      inputs: inputsOf.get(`${request.getType()}::${request.getName()}`) ?? {},
      custom: request.getCustom(),
      retainOnDelete: request.getRetainondelete(),
    })),
  };
}

function typesOf(urn: string): string[] {
  return (urn.split("::")[2] ?? "")
    .split("$")
    .filter((type) => type !== "" && !type.startsWith("pulumi:pulumi:"));
}

/** Mocks are told neither parents nor options, so the requests themselves are kept. */
function recordRequests(): Request[] {
  const requests: Request[] = [];
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    requests.push(request);
    return register(request, ...rest);
  };
  return requests;
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
