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

/** Stands in for AWS where no engine runs: what a created resource and a called function answer. */
export interface StandIn {
  create(type: string, name: string, inputs: Inputs): { id: string; state: Record<string, unknown> };
  call(token: string, inputs: Inputs): Record<string, unknown>;
}

/** The part of the engine's registration request that is looked at. */
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

/**
 * Runs an inline program without an engine and returns everything that it registered. Programs run one after another: the SDK
 * keeps its mocks in globals.
 */
export async function runProgram(
  program: Program,
  standIn: StandIn,
  { project, stack } = { project: "test", stack: "test" },
): Promise<Run> {
  // The SDK records a stack for each of thousands of promises: half of the time of a run.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await runAgainstMocks(program, standIn, project, stack);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runAgainstMocks(
  program: Program,
  standIn: StandIn,
  project: string,
  stack: string,
): Promise<Run> {
  const inputsOf = new Map<string, Inputs>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        inputsOf.set(`${type}::${name}`, inputs);
        return standIn.create(type, name, inputs);
      },
      call: ({ token, inputs }) => standIn.call(token, inputs),
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
      typeChain: [...typesAbove(request, requests), request.getType()],
      inputs: inputsOf.get(`${request.getType()}::${request.getName()}`) ?? {},
      custom: request.getCustom(),
      retainOnDelete: request.getRetainondelete(),
    })),
  };
}

/** Mocks give a parent's URN no more than two types, so the chain is followed by type and name. */
function typesAbove(request: Request, requests: readonly Request[]): string[] {
  const [, , types = "", name] = request.getParent().split("::");
  const type = types.split("$").at(-1);
  const parent = requests.find((other) => other.getType() === type && other.getName() === name);
  return parent === undefined ? [] : [...typesAbove(parent, requests), parent.getType()];
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
