import { type SageMakerClient, UpdateModelPackageCommand } from "@aws-sdk/client-sagemaker";
import { describeModelPackage, type ModelVersion } from "../models/model-package.ts";
import type { Alert, AlertSeverity, Alerts } from "../runtime/alerts.ts";
import type { GateDocument } from "./gate-document.ts";
import type { Check } from "./rules.ts";

/** Checks whose failure may be somebody's doing, rather than a model that didn't turn out well. */
const ALARMING: readonly Check[] = ["lineage", "data", "signature"];

/** AWS's limit on the description of a decision. */
const DESCRIPTION_LENGTH = 1024;

/** Tells whoever approves what to weigh. */
export const warn = (alerts: Alerts, { version }: ModelVersion, document: GateDocument): Promise<void> =>
  alerts.publish("warning", {
    code: "model_gate_warning",
    title: `Model version ${version} passed its cross-checks with warnings`,
    detail: detailOf(document),
    remedy: "Weigh them before you approve it",
  });

/**
 * Turns down a version that nobody decided on yet. One that somebody approved meanwhile stays approved: the decision was a
 * person's, who is told. Alerts first: an alert that comes twice is better than a rejection that nobody hears of.
 */
export async function reject(
  { sagemaker, alerts }: { readonly sagemaker: SageMakerClient; readonly alerts: Alerts },
  model: ModelVersion,
  document: GateDocument,
): Promise<void> {
  const { approval } = await describeModelPackage(sagemaker, model);
  if (approval === "Rejected") return;
  if (approval === "Approved") return alerts.publish("critical", approvedInSpite(model, document));
  await alerts.publish(severityOf(document), {
    code: "model_rejected",
    title: `Model version ${model.version} is rejected by its cross-checks`,
    detail: detailOf(document),
    remedy: "Train anew, or approve it in the knowledge of what failed",
  });
  await sagemaker.send(
    new UpdateModelPackageCommand({
      ModelPackageArn: model.arn,
      ModelApprovalStatus: "Rejected",
      ApprovalDescription: reasonsOf(document).slice(0, DESCRIPTION_LENGTH),
    }),
  );
}

const approvedInSpite = ({ version }: ModelVersion, document: GateDocument): Alert => ({
  code: "failed_model_approved",
  title: `Model version ${version} was approved and fails its cross-checks`,
  detail: detailOf(document),
  remedy: "Stop its release, or let it serve in the knowledge of what failed",
});

const severityOf = ({ findings }: GateDocument): AlertSeverity =>
  findings.some(({ check, result }) => result === "failed" && ALARMING.includes(check))
    ? "critical"
    : "warning";

const detailOf = ({ modelPackageArn, findings }: GateDocument) => ({
  modelPackageArn,
  findings: findings.filter(({ result }) => result !== "passed"),
});

const reasonsOf = ({ findings }: GateDocument): string =>
  findings
    .filter(({ result }) => result === "failed")
    .map(({ check, detail }) => `${check}: ${detail}`)
    .join("; ");
