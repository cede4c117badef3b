import { one, type PolicyCases } from "./policy-cases.ts";

const foundation = { program: "foundation" } as const;
const trail = (properties: object = {}) =>
  one("cloudtrail/trail:Trail", "trail", { s3BucketName: "audit", ...properties });
const block = (restrictPublicBuckets: boolean) =>
  one("s3/accountPublicAccessBlock:AccountPublicAccessBlock", "block", {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets,
  });
const selector = (type: string) => ({
  advancedEventSelectors: [{ fieldSelectors: [{ field: "resources.type", equals: [type] }] }],
});
const audit = (days: number) => [
  trail(),
  one("s3/bucket:Bucket", "audit", { bucket: "audit" }),
  one("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "lifecycle", {
    bucket: "audit",
    rules: [{ expiration: { days } }],
  }),
];
const rule = (...events: readonly string[]) =>
  one("cloudwatch/eventRule:EventRule", "tampering", {
    eventPattern: JSON.stringify({ detail: { eventName: events } }),
  });
const recorder = one("cfg/recorder:Recorder", "recorder", { recordingGroup: { allSupported: true } });

export const complianceCases: PolicyCases = {
  "cloudtrail-multi-region-enabled": {
    broken: [trail({ isMultiRegionTrail: false })],
    kept: [trail({ isMultiRegionTrail: true })],
    context: foundation,
  },
  "cloudtrail-log-file-validation": {
    broken: [trail()],
    kept: [trail({ enableLogFileValidation: true })],
  },
  "cloudtrail-encrypted": {
    broken: [trail()],
    kept: [trail({ kmsKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1" })],
  },
  "cloudtrail-data-events": {
    broken: [trail(selector("AWS::Lambda::Function"))],
    kept: [trail(selector("AWS::S3::Object"))],
  },
  "audit-log-retention": { broken: audit(90), kept: audit(400) },
  "account-public-access-blocked": { broken: [block(false)], kept: [block(true)], context: foundation },
  "config-recorder-enabled": {
    broken: [recorder, one("cfg/recorderStatus:RecorderStatus", "status", { isEnabled: false })],
    kept: [recorder, one("cfg/recorderStatus:RecorderStatus", "status", { isEnabled: true })],
    context: foundation,
  },
  "guardduty-enabled": {
    broken: [one("guardduty/detector:Detector", "detector", { enable: false })],
    kept: [one("guardduty/detector:Detector", "detector", { enable: true })],
    context: foundation,
  },
  "security-hub-enabled": {
    broken: [trail()],
    kept: [one("securityhub/account:Account", "hub")],
    context: foundation,
  },
  "access-analyzer-enabled": {
    broken: [trail()],
    kept: [one("accessanalyzer/analyzer:Analyzer", "analyzer")],
    context: foundation,
  },
  "manual-changes-noticed": {
    broken: [rule("DeleteBucketPolicy")],
    kept: [rule("DeleteBucketPolicy", "ScheduleKeyDeletion")],
  },
};
