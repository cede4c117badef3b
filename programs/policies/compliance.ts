import { ALWAYS, each, IN_PRODUCTION, lacks, type Policy, throughout } from "./policy.ts";
import type { Stack } from "./stack.ts";
import { at, list, missing } from "./values.ts";

const TRAIL = "aws:cloudtrail/trail:Trail";

/** What a foundation must have unless it found one and uses it as it is. */
function required(type: string, singleton: string, what: string): Policy["check"] {
  return lacks((stack) => {
    if (stack.program !== "foundation" || stack.adopted.includes(singleton)) return undefined;
    return stack.ofType(type).length === 0 ? `The foundation has no ${what}` : undefined;
  });
}

function auditBuckets(stack: Stack) {
  return stack
    .ofType("aws:s3/bucket:Bucket")
    .filter((bucket) =>
      stack.ofType(TRAIL).some(({ properties: { s3BucketName } }) => stack.refersTo(s3BucketName, bucket)),
    );
}

export const compliancePolicies: readonly Policy[] = [
  {
    id: "cloudtrail-multi-region-enabled",
    title: "A trail records management events of all regions",
    text: "What is done in a region that nobody uses is what nobody would see.",
    phase: "compliance",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["multi-region-cloudtrail-enabled"],
      fsbp: ["CloudTrail.1"],
      cis: ["3.1"],
      nist: ["AU-2", "AU-12"],
    },
    remedy: "Set isMultiRegionTrail, includeGlobalServiceEvents and enableLogging on the foundation's trail",
    check: (stack) => [
      ...each([TRAIL], ({ properties: bag }) => [
        bag.isMultiRegionTrail !== true && "It records one region",
        bag.enableLogging === false && "It is switched off",
        bag.includeGlobalServiceEvents === false && "It leaves IAM and other global services out",
      ])(stack),
      ...required(TRAIL, "trail", "trail")(stack),
    ],
  },
  {
    id: "cloudtrail-log-file-validation",
    title: "Every trail signs its files",
    text: "A file that was changed or removed afterwards is then found.",
    phase: "compliance",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["cloud-trail-log-file-validation-enabled"],
      fsbp: ["CloudTrail.4"],
      cis: ["3.2"],
      nist: ["AU-9", "SI-7"],
    },
    remedy: "Set enableLogFileValidation on the trail",
    check: each([TRAIL], ({ properties: bag }) => bag.enableLogFileValidation !== true),
  },
  {
    id: "cloudtrail-encrypted",
    title: "Every trail is encrypted with a customer managed key",
    text: "Who may read the bucket may not yet read who did what.",
    phase: "compliance",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["cloud-trail-encryption-enabled"],
      fsbp: ["CloudTrail.2"],
      cis: ["3.5"],
      nist: ["AU-9", "SC-28"],
    },
    remedy: "Set kmsKeyId on the trail",
    check: each([TRAIL], ({ properties: bag }) => missing(bag.kmsKeyId)),
  },
  {
    id: "cloudtrail-data-events",
    title: "Every trail records reads and writes of objects",
    text: "Management events don't say who read the training data.",
    phase: "compliance",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["cloudtrail-s3-dataevents-enabled"], cis: ["3.8", "3.9"], nist: ["AU-2", "AU-12"] },
    remedy: "Select data events of AWS::S3::Object on the trail",
    check: each([TRAIL], ({ properties: bag }) => {
      const advanced = list(bag.advancedEventSelectors).some((selector) =>
        list(at(selector, "fieldSelectors")).some((field) =>
          list(at(field, "equals")).includes("AWS::S3::Object"),
        ),
      );
      const plain = list(bag.eventSelectors).some((selector) =>
        list(at(selector, "dataResources")).some((data) => at(data, "type") === "AWS::S3::Object"),
      );
      return !advanced && !plain;
    }),
  },
  {
    id: "audit-log-retention",
    title: "Audit records are kept for at least a year",
    text: "Most intrusions are found after months, and standards ask for a year.",
    phase: "compliance",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["AU-11"] },
    remedy: "Expire objects of the audit bucket after 365 days or more",
    check: throughout((stack) =>
      auditBuckets(stack).flatMap((resource) =>
        stack
          .referring("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "bucket", resource)
          .flatMap(({ properties: bag }) => list(bag.rules))
          .map((rule) => at(rule, "expiration.days"))
          .filter((days) => days !== undefined && Number(days) < 365)
          .map((days) => ({ resource, detail: `Objects expire after ${String(days)} days` })),
      ),
    ),
  },
  {
    id: "account-public-access-blocked",
    title: "The account blocks public access to S3",
    text: "No bucket of the account, also none of anybody else's program, can be made public.",
    phase: "compliance",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["s3-account-level-public-access-blocks-periodic"],
      fsbp: ["S3.1"],
      cis: ["2.1.4"],
      nist: ["AC-3", "SC-7"],
    },
    remedy: "Keep the foundation's AccountPublicAccessBlock with all four settings true",
    check: (stack) => [
      ...each(["aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"], ({ properties: bag }) =>
        ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].some(
          (name) => bag[name] !== true,
        ),
      )(stack),
      ...required(
        "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
        "accountPublicAccessBlock",
        "account-wide public access block",
      )(stack),
    ],
  },
  {
    id: "config-recorder-enabled",
    title: "AWS Config records what the account holds",
    text: "Only a record of configurations answers what a setting was on the day of an incident.",
    phase: "compliance",
    severity: "medium",
    levels: ALWAYS,
    controls: { fsbp: ["Config.1"], cis: ["3.3"], nist: ["CM-3", "CM-8"] },
    remedy: "Keep the foundation's Config recorder, or name the one the account has",
    check: (stack) => [
      ...each(["aws:cfg/recorder:Recorder"], ({ properties: bag }) =>
        // Of a learning account the types that pipelines use are enough, at a fraction of the price.
        stack.profile === "production" && at(bag, "recordingGroup.allSupported") === false
          ? "It records some types only"
          : undefined,
      )(stack),
      ...each(["aws:cfg/recorderStatus:RecorderStatus"], ({ properties: bag }) =>
        bag.isEnabled !== true ? "It is switched off" : undefined,
      )(stack),
      ...required("aws:cfg/recorder:Recorder", "configRecorder", "Config recorder")(stack),
    ],
  },
  {
    id: "guardduty-enabled",
    title: "GuardDuty watches the account",
    text: "Stolen credentials and data on its way out are recognised by their behaviour.",
    phase: "compliance",
    severity: "high",
    levels: IN_PRODUCTION,
    controls: { config: ["guardduty-enabled-centralized"], fsbp: ["GuardDuty.1"], nist: ["SI-4", "AU-6"] },
    remedy: "Register the account with profile production or securityServices, or name its own detector",
    check: (stack) => [
      ...each(["aws:guardduty/detector:Detector"], ({ properties: bag }) => bag.enable === false)(stack),
      ...required("aws:guardduty/detector:Detector", "guardDuty", "GuardDuty detector")(stack),
    ],
  },
  {
    id: "security-hub-enabled",
    title: "Security Hub checks the account against its standards",
    text: "It also finds what no pipeline of ours made.",
    phase: "compliance",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { config: ["securityhub-enabled"], cis: ["4.16"], nist: ["CA-7", "RA-5"] },
    remedy: "Register the account with profile production or securityServices",
    check: required("aws:securityhub/account:Account", "securityHub", "Security Hub"),
  },
  {
    id: "access-analyzer-enabled",
    title: "IAM Access Analyzer looks for what is shared outside",
    text: "Whatever another account or the public can reach is listed, on purpose or not.",
    phase: "compliance",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { config: ["iam-external-access-analyzer-enabled"], cis: ["1.20"], nist: ["AC-6", "CA-7"] },
    remedy: "Register the account with profile production or securityServices",
    check: required("aws:accessanalyzer/analyzer:Analyzer", "accessAnalyzer", "Access Analyzer"),
  },
  {
    id: "manual-changes-noticed",
    title: "Changes by hand to protections and keys raise an alert",
    text: "A change that no operation made is an attack or a mistake; both want to be seen the same hour.",
    phase: "compliance",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["CM-3", "CM-5", "SI-7"] },
    remedy: "Keep the event rules on CloudTrail's bucket and key events",
    check: lacks((stack) => {
      if (stack.program !== "pipeline") return undefined;
      const patterns = stack
        .ofType("aws:cloudwatch/eventRule:EventRule")
        .map(({ properties: bag }) => bag.eventPattern);
      const absent = ["DeleteBucketPolicy", "ScheduleKeyDeletion"].filter(
        (event) => !patterns.some((pattern) => String(pattern).includes(event)),
      );
      return absent.length > 0 ? `No rule notices ${absent.join(", ")}` : undefined;
    }),
  },
];
