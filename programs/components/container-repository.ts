import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DataOnDestroy } from "../inputs.ts";
import type { Tags } from "../tags.ts";

export interface ContainerRepositoryArgs {
  readonly name: string;
  readonly keyArn: pulumi.Input<string>;
  readonly dataOnDestroy: DataOnDestroy;
  readonly tags: Tags;
}

const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: "Untagged images are leftovers of pushes",
      selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 7 },
      action: { type: "expire" },
    },
    {
      rulePriority: 2,
      description: "Far more images than models in use; a deployed one is never that old",
      selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 200 },
      action: { type: "expire" },
    },
  ],
});

/** An ECR repository whose tags never move. Model packages refer to its images, so it is retained with them. */
export class ContainerRepository extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;
  readonly url: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ContainerRepositoryArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ContainerRepository", name, {}, opts);
    const keep = { parent: this, retainOnDelete: args.dataOnDestroy === "retain" };
    const repository = new aws.ecr.Repository(
      name,
      {
        name: args.name,
        imageTagMutability: "IMMUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: args.keyArn }],
        forceDelete: args.dataOnDestroy === "delete",
        tags: args.tags,
      },
      keep,
    );
    new aws.ecr.LifecyclePolicy(
      `${name}-lifecycle`,
      { repository: repository.name, policy: LIFECYCLE },
      keep,
    );
    this.name = repository.name;
    this.url = repository.repositoryUrl;
    this.arn = repository.arn;
    this.registerOutputs({ url: repository.repositoryUrl });
  }
}
