import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { assumedBy, onBehalfOf, type Statement } from "../policy-document.ts";

/** Trust in a service that acts for this account's resources, and for these only. */
export const trustedFor =
  (service: string, sources: (setting: PipelineSetting) => string | readonly string[]) =>
  (setting: PipelineSetting): Statement =>
    assumedBy(service, onBehalfOf(setting.account.accountId, sources(setting)));

export const trustedForSageMaker = trustedFor("sagemaker.amazonaws.com", ({ arns }) =>
  arns.regional("sagemaker", "*"),
);

/**
 * For services that AWS documents no source keys for, and may send them or not: where they are sent they must fit, and elsewhere
 * only this account can hand the role on (`iam:PassRole`).
 */
export const trustedWhereNamed =
  (service: string, sources: (setting: PipelineSetting) => string | readonly string[]) =>
  (setting: PipelineSetting): Statement =>
    assumedBy(service, {
      StringEqualsIfExists: { "aws:SourceAccount": setting.account.accountId },
      ArnLikeIfExists: { "aws:SourceArn": sources(setting) },
    });

/** MLflow apps, Feature Store and notebooks. */
export const trustedForSageMakerTools = trustedWhereNamed("sagemaker.amazonaws.com", ({ arns }) =>
  arns.regional("sagemaker", "*"),
);

export const trustedForBuilds = trustedFor("codebuild.amazonaws.com", ({ arns, names }) =>
  arns.regional("codebuild", `project/${names.prefix}-*`),
);

export const trustedForTasks = trustedFor("ecs-tasks.amazonaws.com", ({ arns }) => arns.regional("ecs", "*"));

/**
 * AWS documents no source keys for Lambda's own assumption of an execution role; the guard is that only a function of
 * this account can be given the role (`iam:PassRole` does not cross accounts).
 */
export const trustedForLambda = (): Statement => assumedBy("lambda.amazonaws.com");

/** For services that name no source when they assume a role, but the account that they act for. */
export const trustedInAccount =
  (service: string) =>
  ({ account }: PipelineSetting): Statement =>
    assumedBy(service, { StringEquals: { "aws:SourceAccount": account.accountId } });
