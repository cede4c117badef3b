import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { boundaryStatements } from "../boundary-policy.ts";
import { AccountDefaults } from "../components/account-defaults.ts";
import { ApiGatewayLogging } from "../components/api-gateway-logging.ts";
import { ArtifactStore, type ArtifactStoreArgs } from "../components/artifact-store.ts";
import { DataLakeAdministration } from "../components/data-lake-administration.ts";
import { DUCKDB_VERSION, dataLayer } from "../handler-bundle.ts";
import type { FoundationOutputs } from "../inputs.ts";
import { policyDocument } from "../policy-document.ts";
import type { AccountSetting } from "./account-setting.ts";
import { Phase } from "./phase.ts";

export interface AccountInfrastructureArgs extends AccountSetting {
  readonly logsKeyArn: pulumi.Input<string>;
  readonly accessLogs: ArtifactStoreArgs["logs"];
}

const JOB_LOG_RETENTION_DAYS = 30;

/** Settings that harden the account for everything in it, and what all of its pipelines' roles share. */
export class AccountInfrastructure extends Phase {
  readonly boundaryArn: pulumi.Output<string>;
  readonly artifacts: pulumi.Output<FoundationOutputs["artifacts"]>;
  readonly dataLayerArn: pulumi.Output<string>;
  readonly jobLogGroups: FoundationOutputs["jobLogGroups"];

  constructor(args: AccountInfrastructureArgs, opts: pulumi.ComponentResourceOptions) {
    super("infrastructure", opts);
    const { account, arns, names, existing } = args;
    const within = { parent: this };
    new AccountDefaults("defaults", args, within);
    if (existing.apiGatewayRole === undefined)
      new ApiGatewayLogging("api-gateway-logging", { ...args, tags: this.tags }, within);
    const { roleArn } = account;
    if (existing.dataLakeSettings === undefined && roleArn !== undefined)
      new DataLakeAdministration("data-lake", { ...account, roleArn }, within);
    this.artifacts = new ArtifactStore(
      "artifacts",
      { ...args, logs: args.accessLogs, tags: this.tags },
      within,
    ).outputs;
    this.boundaryArn = new aws.iam.Policy(
      "boundary",
      {
        name: names.boundary,
        path: "/aidlc/",
        description: "Permissions boundary of every role of every AIDLC pipeline in this region",
        policy: policyDocument(boundaryStatements(arns, account.accountId, account.region)),
        tags: this.tags,
      },
      { parent: this },
    ).arn;
    this.dataLayerArn = new aws.lambda.LayerVersion(
      "duckdb",
      {
        layerName: names.dataLayer,
        // Versions of a layer are told apart by their content only: a repair finds a lost one by this text.
        description: `DuckDB ${DUCKDB_VERSION} for functions that read data`,
        code: dataLayer(),
        compatibleArchitectures: ["arm64"],
        compatibleRuntimes: ["nodejs24.x"],
        licenseInfo: "MIT",
      },
      { parent: this },
    ).arn;
    this.jobLogGroups = { processing: names.processingLogGroup, training: names.trainingLogGroup };
    this.ownJobLogGroups(args);
    this.registerOutputs({});
  }

  /** SageMaker would create these itself at the first job: unencrypted and kept for ever. */
  private ownJobLogGroups({ existing, logsKeyArn: kmsKeyId }: AccountInfrastructureArgs): void {
    const found = { processing: existing.processingLogGroup, training: existing.trainingLogGroup };
    for (const job of ["processing", "training"] as const) {
      if (found[job] !== undefined) continue;
      new aws.cloudwatch.LogGroup(
        `${job}-jobs`,
        {
          name: this.jobLogGroups[job],
          kmsKeyId,
          retentionInDays: JOB_LOG_RETENTION_DAYS,
          tags: this.tags,
        },
        { parent: this },
      );
    }
  }
}
