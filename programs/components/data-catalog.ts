import { fileURLToPath } from "node:url";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { catalogColumns, STORAGE, TABLE_PARAMETERS } from "../catalog-schema.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { PREFIX } from "../storage-layout.ts";
import type { Tags } from "../tags.ts";
import { EventAlert } from "./event-alert.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";

export interface DataCatalogArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly buckets: PipelineBuckets;
  readonly alerts: PipelineAlerts;
  readonly tags: Tags;
}

const SCRIPT = "compact.py";

/** Table of accepted data; a crawler adds those of compacted data and of captured predictions. */
const ACCEPTED_TABLE = "accepted";

/** The catalog of the pipeline's data, the job that compacts what was accepted, and the crawler that follows it. */
export class DataCatalog extends pulumi.ComponentResource {
  readonly database: aws.glue.CatalogDatabase;
  readonly table: aws.glue.CatalogTable;
  readonly job: aws.glue.Job;
  readonly crawler: aws.glue.Crawler;

  constructor(name: string, args: DataCatalogArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:DataCatalog", name, {}, opts);
    const { setting, tags } = args;
    const { names, team, pipeline } = setting;
    this.database = new aws.glue.CatalogDatabase(
      "catalog",
      { name: names.database, description: `Data of AIDLC ${team}/${pipeline}`, tags },
      { parent: this },
    );
    this.table = this.acceptedTable(args);
    const securityConfiguration = this.encryption(args);
    this.job = this.compaction(args, securityConfiguration);
    this.crawler = this.crawl(args, securityConfiguration);
    this.scheduleBoth(args);
    this.registerOutputs({});
  }

  private acceptedTable({ setting, buckets }: DataCatalogArgs): aws.glue.CatalogTable {
    const { format, schema } = setting.spec.dataset;
    const { inputFormat, outputFormat, serializationLibrary, parameters } = STORAGE[format];
    return new aws.glue.CatalogTable(
      "accepted-table",
      {
        name: ACCEPTED_TABLE,
        databaseName: this.database.name,
        description: "Rows that passed validation",
        tableType: "EXTERNAL_TABLE",
        parameters: { EXTERNAL: "TRUE", ...TABLE_PARAMETERS[format] },
        storageDescriptor: {
          location: pulumi.interpolate`s3://${buckets.validated.guardedName}/${PREFIX.acceptedData}`,
          inputFormat,
          outputFormat,
          serDeInfo: { name: format, serializationLibrary, parameters: { ...parameters } },
          columns: catalogColumns(schema, format),
        },
      },
      { parent: this },
    );
  }

  /** What Glue writes: objects, logs and bookmarks, each under its key. */
  private encryption({ setting, keys }: DataCatalogArgs): pulumi.Output<string> {
    return new aws.glue.SecurityConfiguration(
      "etl-encryption",
      {
        name: setting.names.named("etl"),
        encryptionConfiguration: {
          s3Encryption: { s3EncryptionMode: "SSE-KMS", kmsKeyArn: keys.data.arn },
          cloudwatchEncryption: { cloudwatchEncryptionMode: "SSE-KMS", kmsKeyArn: keys.logs.arn },
          jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS", kmsKeyArn: keys.data.arn },
        },
      },
      { parent: this },
    ).name;
  }

  private compaction(args: DataCatalogArgs, securityConfiguration: pulumi.Output<string>): aws.glue.Job {
    const { setting, roles, buckets, tags } = args;
    const { names } = setting;
    const features = buckets.features.guardedName;
    const script = this.script(args);
    this.logGroups(args);
    return new aws.glue.Job(
      "compaction",
      {
        name: names.named("compaction"),
        description: "Compacts accepted data to Parquet",
        roleArn: roles.of("etl").readyArn,
        glueVersion: "5.0",
        workerType: "G.1X",
        numberOfWorkers: 2,
        // Spare capacity at two thirds of the price: nobody waits for this job.
        executionClass: "FLEX",
        executionProperty: { maxConcurrentRuns: 1 },
        maxRetries: 1,
        timeout: 120,
        securityConfiguration,
        command: {
          name: "glueetl",
          pythonVersion: "3",
          scriptLocation: pulumi.interpolate`s3://${script.bucket}/${script.key}`,
        },
        defaultArguments: {
          "--job-bookmark-option": "job-bookmark-enable",
          "--TempDir": pulumi.interpolate`s3://${features}/${PREFIX.scratch}`,
          "--custom-logGroup-prefix": names.logGroup("compaction"),
        },
        nonOverridableArguments: {
          "--source": pulumi.interpolate`s3://${buckets.validated.guardedName}/${PREFIX.acceptedData}`,
          "--target": pulumi.interpolate`s3://${features}/${PREFIX.compacted}`,
          "--parameter_prefix": names.parameter("").slice(0, -1),
        },
        tags,
      },
      { parent: this },
    );
  }

  private script({ keys, buckets, tags }: DataCatalogArgs): aws.s3.BucketObjectv2 {
    return new aws.s3.BucketObjectv2(
      "compaction-script",
      {
        bucket: buckets.models.guardedName,
        key: `${PREFIX.scripts}${SCRIPT}`,
        source: new pulumi.asset.FileAsset(
          fileURLToPath(new URL(`../../handlers/etl/${SCRIPT}`, import.meta.url)),
        ),
        contentType: "text/x-python",
        serverSideEncryption: "aws:kms",
        kmsKeyId: keys.models.arn,
        tags,
        // An object takes ten tags, and a spec may ask for forty.
        overrideProvider: { defaultTags: { tags: {} } },
      },
      { parent: this },
    );
  }

  /** Glue would create them without a retention. It names them after the role and the security configuration. */
  private logGroups({ setting, keys, tags }: DataCatalogArgs): void {
    const { names, spec } = setting;
    const prefix = `${names.logGroup("compaction")}-${names.named("etl")}-${names.named("etl")}`;
    const groups = {
      "compaction-errors": `${prefix}/error`,
      "compaction-output": `${prefix}/output`,
      "crawler-logs": names.crawlerLogGroup,
    };
    for (const [logicalName, name] of Object.entries(groups)) {
      new aws.cloudwatch.LogGroup(
        logicalName,
        { name, kmsKeyId: keys.logs.arn, retentionInDays: spec.monitoring.logRetentionDays, tags },
        { parent: this },
      );
    }
  }

  private crawl(args: DataCatalogArgs, securityConfiguration: pulumi.Output<string>): aws.glue.Crawler {
    const { setting, roles, buckets, tags } = args;
    return new aws.glue.Crawler(
      "crawler",
      {
        name: setting.names.named("catalog"),
        description: "Adds compacted data and captured predictions to the catalog",
        databaseName: this.database.name,
        role: roles.of("etl").readyArn,
        s3Targets: [
          { path: pulumi.interpolate`s3://${buckets.features.guardedName}/${PREFIX.compacted}` },
          { path: pulumi.interpolate`s3://${buckets.predictions.guardedName}/${PREFIX.captures}` },
        ],
        securityConfiguration,
        lakeFormationConfiguration: { useLakeFormationCredentials: true },
        // New folders only, which is cheap; AWS then wants changes of known tables to be logged, not made.
        recrawlPolicy: { recrawlBehavior: "CRAWL_NEW_FOLDERS_ONLY" },
        schemaChangePolicy: { deleteBehavior: "LOG", updateBehavior: "LOG" },
        // One table per target, not one for each folder in it.
        configuration: JSON.stringify({ Version: 1, Grouping: { TableLevelConfiguration: 2 } }),
        tags,
      },
      { parent: this },
    );
  }

  private scheduleBoth({ setting, roles, alerts, tags }: DataCatalogArgs): void {
    const { names, spec, team, pipeline } = setting;
    new aws.glue.Trigger(
      "compaction-schedule",
      {
        name: names.named("compaction"),
        description: "Compacts on schedule",
        type: "SCHEDULED",
        schedule: spec.dataset.catalog.schedule,
        actions: [{ jobName: this.job.name }],
        tags,
      },
      { parent: this },
    );
    new aws.glue.Trigger(
      "crawl-after-compaction",
      {
        name: names.named("catalog"),
        description: "Renews the catalog once data was compacted",
        type: "CONDITIONAL",
        predicate: {
          conditions: [{ jobName: this.job.name, logicalOperator: "EQUALS", state: "SUCCEEDED" }],
        },
        actions: [{ crawlerName: this.crawler.name }],
        tags,
      },
      { parent: this },
    );
    new EventAlert(
      "compaction-failed",
      {
        name: names.named("compaction"),
        description: "The compaction of accepted data failed",
        pattern: {
          source: ["aws.glue"],
          "detail-type": ["Glue Job State Change"],
          detail: { jobName: [names.named("compaction")], state: ["ERROR", "FAILED", "TIMEOUT"] },
        },
        topicArn: alerts.topics.warning.publishableArn,
        roleArn: roles.of("alerts").readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        message: {
          paths: { state: "$.detail.state", why: "$.detail.message" },
          text: `Compaction of ${team}/${pipeline} ended as <state>: <why>`,
        },
        tags,
      },
      { parent: this },
    );
  }
}
