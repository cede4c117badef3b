import * as pulumi from "@pulumi/pulumi";
import { DataCatalog } from "./data-catalog.ts";
import { DataLake } from "./data-lake.ts";
import { FeatureGroup } from "./feature-group.ts";
import { Ingestion, type IngestionArgs } from "./ingestion.ts";
import { PipelineSecret } from "./pipeline-secret.ts";
import { SecretRotation } from "./secret-rotation.ts";

/** Everything between what the team brings and what training reads: validation, catalog, features, pseudonyms. */
export class DataSupply extends pulumi.ComponentResource {
  readonly ingestion: Ingestion;
  readonly catalog: DataCatalog;
  readonly secret: PipelineSecret;
  /** Only where the spec asks for one. */
  readonly featureGroup: FeatureGroup | undefined;

  constructor(name: string, args: IngestionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:DataSupply", name, {}, opts);
    const { setting } = args;
    const inside = { parent: this };
    this.ingestion = new Ingestion("ingestion", args, inside);
    this.catalog = new DataCatalog("data-catalog", args, inside);
    new DataLake("data-lake", { ...args, catalog: this.catalog }, inside);
    this.secret = new PipelineSecret("secret", args, inside);
    if (setting.spec.profile === "production") {
      new SecretRotation("secret-rotation", { ...args, secretArn: this.secret.guardedArn }, inside);
    }
    const store = setting.spec.dataset.featureStore;
    this.featureGroup =
      store === undefined
        ? undefined
        : new FeatureGroup("feature-group", { ...args, store, catalog: this.catalog }, inside);
    this.registerOutputs({});
  }
}
