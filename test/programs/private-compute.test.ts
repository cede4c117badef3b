import { beforeAll, describe, expect, it, vi } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../programs/functions/index.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { anInput, aSpec, FOUNDATION, PRODUCTION_FOUNDATION } from "./support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "./support/run-program.ts";

// Each run of a whole production pipeline takes a while on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const { privateSubnetIds, subnetIds, endpointSecurityGroupId, s3PrefixListId } =
  PRODUCTION_FOUNDATION.network;

const run = (change: Parameters<typeof aSpec>[0] = {}, foundation = PRODUCTION_FOUNDATION) =>
  runProgram(
    pipelineProgram(
      anInput({
        spec: aSpec({
          profile: "production",
          dataset: { replicaRegion: "eu-central-1" },
          alerts: { emails: ["ada@example.com"] },
          ...change,
        }),
        foundation,
      }),
    ),
  );

const EGRESS = "vpc/securityGroupEgressRule:SecurityGroupEgressRule";

describe("computation in production", () => {
  let production: Run;
  beforeAll(async () => {
    production = await run({ notebook: {} });
  });

  it("runs every function in the private subnets, but for those that call the internet", () => {
    const functions = ofType(production, "lambda/function:Function");
    expect(functions.length).toBeGreaterThan(10);
    for (const { name, inputs } of functions) {
      const definition = FUNCTIONS[name as FunctionName];
      const isOutside = "reachesInternet" in definition && definition.reachesInternet === true;
      expect(inputs.vpcConfig, name).toEqual(
        isOutside ? undefined : { subnetIds: privateSubnetIds, securityGroupIds: ["functions-id"] },
      );
    }
  });

  it("runs jobs there too", () => {
    const { pipelineDefinition } = resource(production, "sagemaker/pipeline:Pipeline", "training").inputs;
    for (const id of privateSubnetIds) expect(pipelineDefinition).toContain(id);
    for (const id of subnetIds) expect(pipelineDefinition).not.toContain(id);
  });

  it("gives a notebook no internet", () => {
    const [notebook] = ofType(production, "sagemaker/notebookInstance:NotebookInstance");
    expect(notebook?.inputs.directInternetAccess).toBe("Disabled");
    expect(privateSubnetIds).toContain(notebook?.inputs.subnetId);
  });

  it("reaches S3 and the endpoints by HTTPS, and nothing else", () => {
    for (const group of ["jobs", "functions"]) {
      const rules = ofType(production, EGRESS).filter(
        ({ inputs }) => inputs.securityGroupId === `${group}-id`,
      );
      expect(rules.map(({ inputs }) => inputs.prefixListId ?? inputs.referencedSecurityGroupId)).toEqual([
        s3PrefixListId,
        endpointSecurityGroupId,
      ]);
      for (const { inputs } of rules) {
        expect(inputs).toMatchObject({ ipProtocol: "tcp", fromPort: 443, toPort: 443 });
      }
    }
  });

  it("lets a function's code make no network interfaces: Lambda alone may, through its role", () => {
    const policy = String(
      resource(production, "iam/rolePolicy:RolePolicy", "validate-role-policy").inputs.policy,
    );
    const { Statement } = JSON.parse(policy) as { readonly Statement: readonly Record<string, unknown>[] };
    expect(Statement.find(({ Sid }) => Sid === "AttachFunction")?.Condition).toEqual({
      Null: { "lambda:SourceFunctionArn": "true" },
    });
  });

  it("is refused on a network without private subnets", async () => {
    await expect(run({}, FOUNDATION)).rejects.toThrow(/private subnets/);
  });
});

describe("a dedicated network in production", () => {
  let dedicated: Run;
  beforeAll(async () => {
    dedicated = await run({ network: { dedicated: true, cidr: "172.20.0.0/20" } });
  });

  it("has private subnets in two zones, with no way to the internet", () => {
    const subnets = ofType(dedicated, "ec2/subnet:Subnet").filter(({ name }) => name.includes("private"));
    expect(subnets.map(({ inputs }) => [inputs.cidrBlock, inputs.availabilityZone])).toEqual([
      ["172.20.8.0/22", "eu-west-1a"],
      ["172.20.12.0/22", "eu-west-1b"],
    ]);
    expect(ofType(dedicated, "ec2/route:Route").map(({ inputs }) => inputs.routeTableId)).toEqual([
      "network-public-routes-id",
    ]);
  });

  it("has AWS's services inside, for principals of this account only", () => {
    const endpoints = ofType(dedicated, "ec2/vpcEndpoint:VpcEndpoint").filter(
      ({ inputs }) => inputs.vpcEndpointType === "Interface",
    );
    const services = endpoints.map(({ inputs }) =>
      String(inputs.serviceName).replace("com.amazonaws.eu-west-1.", ""),
    );
    expect(services).toEqual(
      expect.arrayContaining([
        "ecr.api",
        "ecr.dkr",
        "kms",
        "logs",
        "monitoring",
        "sagemaker.api",
        "sagemaker.runtime",
        "secretsmanager",
        "sts",
      ]),
    );
    for (const { inputs } of endpoints) {
      expect(inputs.privateDnsEnabled).toBe(true);
      expect(inputs.policy).toContain('"aws:PrincipalAccount":"111122223333"');
    }
  });
});

describe("computation in learning", () => {
  it("keeps functions out of any network, and jobs on the public subnets in a group of their own", async () => {
    const learning = await runProgram(pipelineProgram(anInput({ foundation: PRODUCTION_FOUNDATION })));
    for (const { inputs } of ofType(learning, "lambda/function:Function")) {
      expect(inputs).not.toHaveProperty("vpcConfig");
    }
    const { pipelineDefinition } = resource(learning, "sagemaker/pipeline:Pipeline", "training").inputs;
    for (const id of subnetIds) expect(pipelineDefinition).toContain(id);
    expect(ofType(learning, EGRESS).map(({ inputs }) => inputs.prefixListId)).toEqual([s3PrefixListId]);
  });
});
