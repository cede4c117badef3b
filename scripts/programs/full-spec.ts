import type { Profile } from "../../programs/profiles.ts";
import { type PipelineSpec, parseSpec, specProblems } from "../../programs/spec.ts";

const base = {
  apiVersion: "aidlc/v1",
  account: "main",
  owner: "ada@example.com",
  dataset: {
    format: "parquet",
    schema: [
      { name: "customer", type: "string" },
      { name: "seen", type: "timestamp" },
      { name: "segment", type: "string" },
      { name: "spend", type: "number" },
    ],
    validationImage: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/aidlc-validation-job:1",
    featureStore: { recordIdentifier: "customer", eventTime: "seen", online: true },
    replicaRegion: "eu-west-1",
  },
  training: {
    instanceCount: 2,
    spot: { enabled: false },
    tuning: { ranges: [{ name: "eta", type: "continuous", min: 0.01, max: 0.3 }] },
    qualityGate: { metric: "rmse", threshold: 10, direction: "atMost" },
    retrainOn: ["drift", "degradation"],
    schedule: "rate(7 days)",
  },
  serving: {
    mode: "realtime",
    auth: "jwt",
    jwt: { issuer: "https://login.example.com", audience: "predictions" },
    autoscaling: {
      schedules: [{ name: "day", expression: "cron(0 6 * * ? *)", minCapacity: 2, maxCapacity: 4 }],
    },
  },
  notebook: {},
  monitoring: { engine: "model-monitor", logRetentionDays: 2192, segments: ["segment"] },
  alerts: { emails: ["ada@example.com"], webhooks: ["https://alerts.example.com"] },
  network: { dedicated: true },
};

const more = {
  learning: { dataClassification: "confidential" },
  production: {
    dataClassification: "restricted",
    frameworks: ["gdpr", "hipaa", "soc2", "pci-dss"],
    serving: {
      ...base.serving,
      publicDomain: {
        name: "predictions.example.com",
        certificateArn: "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000",
      },
    },
  },
} satisfies Record<Profile, object>;

/** A spec of the profile that asks for what no example asks for, so that it is looked at as well. */
export function fullSpec(profile: Profile): PipelineSpec {
  const spec = parseSpec({ ...base, profile, ...more[profile] });
  const problems = specProblems(spec);
  if (problems.length > 0) throw new Error(`the full spec: ${JSON.stringify(problems)}`);
  return spec;
}
