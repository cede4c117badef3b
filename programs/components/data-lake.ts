import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { LAKE_LOCATIONS, type LakeBucket } from "../roles/data-lake.ts";
import type { DataCatalog } from "./data-catalog.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";

export interface DataLakeArgs {
  readonly setting: PipelineSetting;
  readonly roles: PipelineRoles;
  readonly buckets: PipelineBuckets;
  readonly catalog: DataCatalog;
}

/**
 * Lake Formation over the catalog. Locations are registered in hybrid mode: where an account's default still grants everything to
 * `IAM_ALLOWED_PRINCIPALS`, a plain registration would lend the registered role's access to everybody who sees the
 * table. In hybrid mode it is lent only to who was opted in, and everybody else needs S3 permissions of his own.
 */
export class DataLake extends pulumi.ComponentResource {
  readonly #roleArn: pulumi.Output<string>;

  constructor(name: string, args: DataLakeArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:DataLake", name, {}, opts);
    this.#roleArn = args.roles.of("etl").arn;
    for (const [bucket, prefix] of Object.entries(LAKE_LOCATIONS)) {
      this.register(bucket as LakeBucket, prefix, args);
    }
    const databaseName = args.catalog.database.name;
    this.permit("catalog-access", {
      permissions: ["ALTER", "CREATE_TABLE", "DESCRIBE"],
      database: { name: databaseName },
    });
    this.permit("table-access", {
      permissions: ["ALTER", "DESCRIBE", "INSERT", "SELECT"],
      table: { databaseName, wildcard: true },
    });
    const catalogId = args.setting.account.accountId;
    this.optIn("catalog-opt-in", { database: { name: databaseName, catalogId } });
    this.optIn("table-opt-in", { table: { databaseName, wildcard: true, catalogId } });
    this.registerOutputs({});
  }

  private register(bucket: LakeBucket, prefix: string, { setting, roles, buckets, catalog }: DataLakeArgs) {
    const arn = `${setting.arns.bucket(setting.names.bucket(bucket))}/${prefix.slice(0, -1)}`;
    // A table at a registered location needs a permission to be created there; the one of accepted data comes first.
    const ready = pulumi.all([buckets[bucket].guardedName, catalog.table.id]);
    const location = new aws.lakeformation.Resource(
      `${bucket}-location`,
      { arn: ready.apply(() => arn), roleArn: roles.of("data-lake").readyArn, hybridAccessEnabled: true },
      { parent: this },
    );
    this.permit(`${bucket}-location-access`, {
      permissions: ["DATA_LOCATION_ACCESS"],
      dataLocation: { arn: location.arn },
    });
  }

  private permit(name: string, what: Omit<aws.lakeformation.PermissionsArgs, "principal">): void {
    new aws.lakeformation.Permissions(name, { principal: this.#roleArn, ...what }, { parent: this });
  }

  private optIn(name: string, resource: aws.types.input.lakeformation.OptInResourceData): void {
    new aws.lakeformation.OptIn(
      name,
      { principals: [{ dataLakePrincipalIdentifier: this.#roleArn }], resourceDatas: [resource] },
      { parent: this },
    );
  }
}
