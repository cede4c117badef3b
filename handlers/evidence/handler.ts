import { S3Client } from "@aws-sdk/client-s3";
import { CONTROLS, type Control } from "../../programs/frameworks.ts";
import { pipelineNames } from "../../programs/names.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import type { Phase } from "../../programs/tags.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { writeDocument } from "../runtime/documents.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { alertOf } from "./alert.ts";
import { CONTROL_RULES } from "./controls.ts";
import type { Facts } from "./facts.ts";
import { type Finding, type State, stateOf } from "./judge.ts";
import { readFunctions, readRoles, readSecret } from "./read-access.ts";
import { readBuckets, readKeys } from "./read-storage.ts";
import {
  readAlarms,
  readLogGroups,
  readModels,
  readQueues,
  readRules,
  readTopics,
  readTrail,
} from "./read-watch.ts";

export interface ControlEvidence {
  readonly control: Control;
  readonly title: string;
  readonly phase: Phase;
  readonly implementation: string;
  readonly state: State;
  readonly resources: readonly Finding[];
}

export interface Evidence {
  readonly version: 1;
  readonly team: string;
  readonly pipeline: string;
  /** When the first read began: what changed later may or may not be in it. */
  readonly readAt: string;
  readonly controls: readonly ControlEvidence[];
}

/**
 * Reads the live state of every control of the pipeline, keeps what it read as a document of its own and answers it. Tells people, in one
 * alert, what is not in effect: again with each reading, as long as it lasts. Takes no input, changes nothing that it reads.
 */
export function createHandler(env: Environment, now: () => Date = () => new Date()) {
  const settings = variables(env, [
    "AIDLC_TEAM",
    "AIDLC_PIPELINE",
    "AIDLC_METRIC_NAMESPACE",
    "AIDLC_WARNING_TOPIC",
    "AIDLC_CRITICAL_TOPIC",
    "AIDLC_TRAIL",
    "AIDLC_ACCESS_LOGS_BUCKET",
  ]);
  const { AIDLC_TEAM: team, AIDLC_PIPELINE: pipeline } = settings;
  const [, , , region = "", accountId = ""] = settings.AIDLC_WARNING_TOPIC.split(":");
  const names = pipelineNames({ account: { accountId, region }, team, pipeline });
  const queues = env.AWS_ENDPOINT_URL ?? `https://sqs.${region}.amazonaws.com`;
  const { logger } = createTelemetry("evidence", env);
  const s3 = awsClient(S3Client, env);
  const alerts = createAlerts(env);

  const readFacts = async (): Promise<Facts> => ({
    buckets: await readBuckets(env, names),
    keys: await readKeys(env, names),
    roles: await readRoles(env, names),
    functions: await readFunctions(env, names),
    secret: await readSecret(env, names),
    topics: await readTopics(env, [settings.AIDLC_WARNING_TOPIC, settings.AIDLC_CRITICAL_TOPIC]),
    queues: await readQueues(env, names, (name) => `${queues}/${accountId}/${name}`),
    rules: await readRules(env, names),
    logGroups: await readLogGroups(env, names),
    alarms: await readAlarms(env, names),
    trail: await readTrail(env, settings.AIDLC_TRAIL),
    ...(await readModels(env, names)),
    metricNamespace: settings.AIDLC_METRIC_NAMESPACE,
    wantsReplicas: env.AIDLC_REPLICA_REGION !== undefined,
  });

  return async (): Promise<Evidence> => {
    const readAt = now().toISOString();
    const facts = await readFacts();
    const controls = (Object.keys(CONTROLS) as Control[]).map((control) => evidenceOf(control, facts));
    for (const { control, state } of controls) logger.info("control", { control, state });
    const evidence: Evidence = { version: 1, team, pipeline, readAt, controls };
    const place = { bucket: settings.AIDLC_ACCESS_LOGS_BUCKET, key: readingKey(readAt) };
    // An earlier reading is never written over.
    await writeDocument(s3, place, evidence, { ifAbsent: true });
    const document = `s3://${place.bucket}/${place.key}`;
    logger.info("kept", { document });
    const told = alertOf(controls, document);
    if (told !== undefined) await alerts.publish(told.severity, told.alert);
    return evidence;
  };
}

/** By day, so that an audit finds a period's; in the order of their beginnings. */
const readingKey = (readAt: string) =>
  `${PREFIX.evidence}${readAt.slice(0, 10).replaceAll("-", "/")}/${readAt}.json`;

function evidenceOf(control: Control, facts: Facts): ControlEvidence {
  const { phase, implementation, judge } = CONTROL_RULES[control];
  const resources = judge(facts);
  return { control, title: CONTROLS[control], phase, implementation, state: stateOf(resources), resources };
}
