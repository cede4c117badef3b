import { SIGNING_ALGORITHM } from "../components/key-policy.ts";
import { allow, bucketArn, type RoleSurroundings } from "../grants.ts";
import type { Condition, Statement } from "../policy-document.ts";
import { TAG } from "../tags.ts";

/** Of resources whose names AWS makes up: they are the pipeline's by their tags. */
export const taggedAsOwn = ({ setting: { team, pipeline } }: RoleSurroundings): Condition => ({
  StringEquals: { [`aws:ResourceTag/${TAG.team}`]: team, [`aws:ResourceTag/${TAG.pipeline}`]: pipeline },
});

/** A version that is asked for by its ARN. */
export const describeModel = ({ setting: { arns, names } }: RoleSurroundings): Statement =>
  allow({
    Sid: "DescribeModel",
    Action: "sagemaker:DescribeModelPackage",
    Resource: arns.sagemaker("model-package", `${names.named("models")}/*`),
  });

/** The digests of the images that the pipeline may use, AWS's built-in ones among them, which let nobody describe them. */
export const lookUpImages = ({ images }: RoleSurroundings): Statement =>
  allow({ Sid: "LookUpImages", Action: "ecr:BatchGetImage", Resource: images.repositoryArns });

/**
 * Documents of one version each in the models bucket, below these prefixes. S3 tells a missing object from a forbidden one only
 * to whoever may list the bucket.
 */
export const readModelDocuments = (around: RoleSurroundings, prefixes: readonly string[]): Statement[] => [
  allow({
    Sid: "ReadModelDocuments",
    Action: "s3:GetObject",
    Resource: prefixes.map((prefix) => `${bucketArn(around, "models")}/${prefix}*`),
  }),
  allow({ Sid: "TellMissing", Action: "s3:ListBucket", Resource: bucketArn(around, "models") }),
];

export const writeModelDocuments = (around: RoleSurroundings, prefix: string): Statement =>
  allow({
    Sid: "WriteModelDocuments",
    Action: "s3:PutObject",
    Resource: `${bucketArn(around, "models")}/${prefix}*`,
  });

/** One action covers the whole REST interface of an MLflow App. */
export const useExperiments = (around: RoleSurroundings): Statement =>
  allow({
    Sid: "UseExperiments",
    Action: ["sagemaker:CallMlflowAppApi", "sagemaker:DescribeMlflowApp"],
    Resource: around.setting.arns.sagemaker("mlflow-app", "*"),
    Condition: taggedAsOwn(around),
  });

export const useSigningKey = ({ keys }: RoleSurroundings, action: "kms:Sign" | "kms:Verify"): Statement =>
  allow({
    Sid: "UseSigningKey",
    Action: action,
    Resource: keys.signing,
    Condition: { StringEquals: { "kms:SigningAlgorithm": SIGNING_ALGORITHM } },
  });

/** Source bundles and artifacts of this pipeline in the account's shared store, to be read only. */
export const readArtifacts = (around: RoleSurroundings): Statement[] =>
  artifacts(around, ["s3:GetObject", "s3:GetObjectVersion"], ["kms:Decrypt"]);

/** The same, to be written as well: what runs somebody's code must not be able to replace what others build from. */
export const useArtifacts = (around: RoleSurroundings): Statement[] =>
  artifacts(
    around,
    ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
    ["kms:Decrypt", "kms:GenerateDataKey"],
  );

function artifacts(
  { setting }: RoleSurroundings,
  objectActions: readonly string[],
  keyActions: readonly string[],
): Statement[] {
  const { account, foundation, names } = setting;
  const { bucket, keyArn } = foundation.artifacts;
  return [
    allow({
      Sid: "UseArtifacts",
      Action: objectActions,
      Resource: `${bucket.arn}/${names.artifactPrefix}*`,
    }),
    allow({
      Sid: "UseArtifactKey",
      Action: keyActions,
      Resource: keyArn,
      Condition: { StringEquals: { "kms:ViaService": `s3.${account.region}.amazonaws.com` } },
    }),
  ];
}

/**
 * Searches for hyperparameters. SageMaker names them by execution, so conditions and tags bind them to the pipeline: isolated, on
 * its network, under its keys, and only roles that the orchestration may pass.
 */
export function runSearches(around: RoleSurroundings): Statement[] {
  const { setting, keys, network } = around;
  const searches = setting.arns.sagemaker("hyper-parameter-tuning-job", "*");
  const { team, pipeline } = setting;
  return [
    allow({
      Sid: "CreateIsolatedSearches",
      Action: "sagemaker:CreateHyperParameterTuningJob",
      Resource: searches,
      Condition: {
        Bool: { "sagemaker:NetworkIsolation": "true" },
        Null: { "sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false" },
        "ForAllValues:StringEquals": {
          "sagemaker:VpcSubnets": network.subnetIds,
          "sagemaker:VpcSecurityGroupIds": [network.securityGroupId],
        },
        ArnEquals: { "sagemaker:OutputKmsKey": [keys.data, keys.models] },
      },
    }),
    allow({
      Sid: "TagSearches",
      Action: "sagemaker:AddTags",
      Resource: searches,
      Condition: {
        StringEquals: {
          [`aws:RequestTag/${TAG.team}`]: team,
          [`aws:RequestTag/${TAG.pipeline}`]: pipeline,
        },
      },
    }),
    allow({
      Sid: "FollowSearches",
      Action: [
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
      ],
      Resource: searches,
      Condition: taggedAsOwn(around),
    }),
  ];
}
