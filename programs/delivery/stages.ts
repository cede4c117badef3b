import type * as aws from "@pulumi/aws";
import type { Input } from "@pulumi/pulumi";

type Stage = aws.types.input.codepipeline.PipelineStage;
type Action = aws.types.input.codepipeline.PipelineStageAction;

export const STAGE = {
  source: "Source",
  scan: "Scan",
  build: "Build",
  test: "Test",
  approval: "Approval",
  training: "Training",
} as const;

export interface StagesArgs {
  readonly source: { readonly bucket: string; readonly key: string };
  /** No `images` where the pipeline uses no image of its own. */
  readonly projects: {
    readonly scan: Input<string>;
    readonly test: Input<string>;
    readonly images?: Input<string>;
  };
  readonly approval: { readonly topicArn: Input<string>; readonly reviewUrl: string };
  readonly releaseMachineArn: Input<string>;
}

const SOURCE = "source";
/** Versions of S3 objects have characters that image tags take, but may begin with one that they don't. */
const IMAGE_TAG = "source-#{Source.VersionId}";

const build = (
  name: string,
  project: Input<string>,
  variables: Readonly<Record<string, string>>,
): Action => ({
  name,
  category: "Build",
  owner: "AWS",
  provider: "CodeBuild",
  version: "1",
  inputArtifacts: [SOURCE],
  configuration: {
    ProjectName: project,
    ...(Object.keys(variables).length > 0 && {
      EnvironmentVariables: JSON.stringify(
        Object.entries(variables).map(([key, value]) => ({ name: key, value, type: "PLAINTEXT" })),
      ),
    }),
  },
});

/**
 * Scan before anything of the source runs; build and test it; let somebody approve; train with it. The trained model is then
 * approved and released like any other. https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
 */
export function deliveryStages({ source, projects, approval, releaseMachineArn }: StagesArgs): Stage[] {
  const stage = (name: string, action: Action): Stage => ({ name, actions: [action] });
  return [
    stage(STAGE.source, {
      name: "Bundle",
      namespace: "Source",
      category: "Source",
      owner: "AWS",
      provider: "S3",
      version: "1",
      outputArtifacts: [SOURCE],
      configuration: { S3Bucket: source.bucket, S3ObjectKey: source.key, PollForSourceChanges: "false" },
    }),
    stage(STAGE.scan, build("Scan", projects.scan, {})),
    ...(projects.images === undefined
      ? []
      : [stage(STAGE.build, build("Images", projects.images, { IMAGE_TAG }))]),
    stage(STAGE.test, build("Tests", projects.test, {})),
    stage(STAGE.approval, {
      name: "Approve",
      category: "Approval",
      owner: "AWS",
      provider: "Manual",
      version: "1",
      configuration: {
        NotificationArn: approval.topicArn,
        ExternalEntityLink: approval.reviewUrl,
        CustomData: `Train with the code of source version #{Source.VersionId}? Its scans and tests passed.`,
      },
    }),
    stage(STAGE.training, {
      name: "Train",
      category: "Invoke",
      owner: "AWS",
      provider: "StepFunctions",
      version: "1",
      configuration: {
        StateMachineArn: releaseMachineArn,
        ExecutionNamePrefix: "code",
        InputType: "Literal",
        Input: JSON.stringify({ trigger: "code", imageTag: IMAGE_TAG }),
      },
    }),
  ];
}
