import {
  allow,
  attachFunction,
  joinNetwork,
  pullImages,
  putMetrics,
  type RoleSurroundings,
  read,
  sendDeadLetters,
  throughService,
  trace,
  useKeys,
  write,
  writeLogs,
  writeOwnLogs,
} from "../grants.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Statement } from "../policy-document.ts";
import { endpointLogGroup } from "../serving/endpoints.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForLambda, trustedForSageMaker, trustedForTasks } from "./trust.ts";

/** What runs the model depends on the mode, and so does who may be it. */
const TRUST = {
  serverless: trustedForSageMaker,
  realtime: trustedForSageMaker,
  lambda: trustedForLambda,
  ecs: trustedForTasks,
} as const;

export const inference: RoleDefinition = {
  description: "Reads models and answers",
  trust: (setting: PipelineSetting) => TRUST[setting.spec.serving.mode](setting),
  keyUses: ["data", "models"],
  grants: (around) => [
    ...read(around, "models", PREFIX.artifacts),
    allow({
      Sid: "ReadModelKey",
      Action: "kms:Decrypt",
      Resource: around.keys.models,
      Condition: throughService(around.setting.account.region, "s3"),
    }),
    putMetrics([around.setting.names.metricNamespace]),
    ...grantsOf(around),
  ],
};

function grantsOf(around: RoleSurroundings): Statement[] {
  const { profile, serving } = around.setting.spec;
  const { mode } = serving;
  const { arns, names } = around.setting;
  // SageMaker brings the artifact to a container; elsewhere the program finds and fetches it.
  const findModel = allow({
    Sid: "FindModel",
    Action: "sagemaker:DescribeModelPackage",
    Resource: arns.sagemaker("model-package", `${names.named("models")}/*`),
  });
  if (mode === "ecs") return [findModel];
  if (mode === "lambda") {
    return [
      findModel,
      writeOwnLogs(around, "inference"),
      sendDeadLetters(around),
      trace(),
      ...(around.network.functionSecurityGroupId === undefined ? [] : [attachFunction()]),
    ];
  }
  return [
    ...pullImages(around.images.repositoryArns),
    writeLogs(arns.logGroup(endpointLogGroup(`${names.prefix}-*`))),
    // A serverless endpoint captures nothing: there the gate writes what was asked and answered.
    ...(mode === "realtime"
      ? [write(around, "predictions", [PREFIX.captures]), useKeys(around, ["data"])]
      : []),
    ...(mode === "realtime" && profile === "production" ? joinNetwork(around) : []),
  ];
}
