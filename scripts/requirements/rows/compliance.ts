import type { Requirement } from "../requirement.ts";

export const COMPLIANCE: readonly Requirement[] = [
  {
    id: "C1",
    promise:
      "CloudTrail records all regions and the data buckets' objects, validated and encrypted, in one audit bucket",
    from: "learning",
    keptBy: ["foundation"],
    policies: [
      "cloudtrail-multi-region-enabled",
      "cloudtrail-log-file-validation",
      "cloudtrail-encrypted",
      "cloudtrail-data-events",
    ],
    foundation: ["cloudtrail/trail:Trail", ["s3/bucket:Bucket", /^audit$/]],
    tests: [
      [
        "programs/foundation.test.ts",
        "records all regions with validated, encrypted log files, and objects of data buckets but not of log buckets",
      ],
    ],
  },
  {
    id: "C2",
    promise: "AWS Config records the account and checks it against the checklist",
    from: "learning",
    keptBy: ["foundation"],
    policies: ["config-recorder-enabled"],
    foundation: ["cfg/recorder:Recorder", "cfg/deliveryChannel:DeliveryChannel", "cfg/rule:Rule"],
    tests: [
      [
        "programs/foundation.test.ts",
        "records what its rules judge, once a day, into the audit bucket under the audit key",
      ],
      [
        "programs/foundation.test.ts",
        "has a rule for each line of the checklist that AWS manages, each with a name of the foundation's",
      ],
    ],
  },
  {
    id: "C3",
    promise: "Security Hub, GuardDuty and Access Analyzer watch the account; learning may opt in",
    from: "production",
    keptBy: ["foundation"],
    policies: ["security-hub-enabled", "guardduty-enabled", "access-analyzer-enabled"],
    foundation: [
      "securityhub/account:Account",
      "guardduty/detector:Detector",
      "accessanalyzer/analyzer:Analyzer",
    ],
    tests: [
      [
        "programs/foundation.test.ts",
        "is watched: data in buckets, calls of functions, settings by two standards, access from outside",
      ],
      ["programs/foundation.test.ts", "pays for the buckets' watch only"],
    ],
  },
  {
    id: "C4",
    promise:
      "Service control policies guard the organization, as a stack of its own for the management account",
    from: "production",
    keptBy: ["foundation"],
    organization: ["organizations/policy:Policy", "organizations/policyAttachment:PolicyAttachment"],
    tests: [
      [
        "programs/organization.test.ts",
        "attaches every guardrail to every target, within the five that AWS attaches at most",
      ],
      ["programs/organization.test.ts", "only ever deny"],
    ],
  },
  {
    id: "C5",
    promise: "Every control is mapped to its phase, implementation and evidence, its state read live",
    from: "learning",
    keptBy: ["handlers", "reports"],
    tests: [
      ["handlers/evidence.aws.test.ts", "has every control in effect where every protection is in place"],
      [
        "handlers/evidence.aws.test.ts",
        "calls what could not be read unknown, with the reason, and tells of everything else",
      ],
      [
        "handlers/evidence.aws.test.ts",
        "is kept as it is answered, a document for each reading, which nothing is written over",
      ],
      [
        "handlers/evidence.aws.test.ts",
        "is told to the critical topic, with the control and what AWS says of the resource",
      ],
      ["programs/functions.test.ts", "have evidence read every day, through the schedules' role"],
    ],
    notYet: "the report, which maps what the function `evidence` reads",
  },
  {
    id: "C6",
    promise: "Compliance reports for each framework, scheduled and on demand",
    from: "learning",
    keptBy: ["reports"],
    notYet: "the reports",
  },
  {
    id: "C7",
    promise: "The security checklist is enforced as policies before anything is applied",
    from: "learning",
    keptBy: ["policy"],
    policies: "all",
    tests: [
      ["programs/policies/policies.test.ts", "refuses a stack that breaks it"],
      ["programs/policies/policies.test.ts", "all have a stack that breaks them"],
      ["programs/policies/programs.test.ts", "no policy refuses what the programs make in the profile %s:"],
    ],
  },
  {
    id: "C8",
    promise: "Logs and data have retention; one person's data is erased on request, with proof",
    from: "learning",
    keptBy: ["resources", "handlers"],
    pipeline: [
      "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      ["lambda/function:Function", /^erase$/],
    ],
    tests: [
      ["programs/pipeline.test.ts", "keeps logs as long as it says"],
      [
        "programs/functions.test.ts",
        "delete versions of data by erasure only, and neither proofs nor models",
      ],
      [
        "handlers/erase.aws.test.ts",
        "keeps every other row byte by byte, and deletes only the versions that held the subject",
      ],
      [
        "handlers/erase.aws.test.ts",
        "names the subject by its pseudonym alone, also where a key holds its text",
      ],
      ["handlers/erase.aws.test.ts", "gives no proof while an object can't be searched, and names it"],
    ],
  },
  {
    id: "C9",
    promise: "Who can do what is reviewed on schedule and signed off",
    from: "learning",
    keptBy: ["reports"],
    notYet: "the report",
  },
  {
    id: "C10",
    promise: "An alarm or finding is answered by a responder: quarantine, revoke, disable",
    from: "production",
    keptBy: ["resources", "handlers"],
    pipeline: [["lambda/function:Function", /^respond$/]],
    tests: [
      [
        "programs/incidents.test.ts",
        "hands threats, findings, critical alarms and tampering to the responder's topic, through a role",
      ],
      [
        "programs/incidents.test.ts",
        "calls the responder by its topic alone, and keeps what it did not take",
      ],
      [
        "handlers/respond/rules.test.ts",
        "by a role or in a function of the pipeline revokes or disables it when it is high",
      ],
      ["handlers/respond.aws.test.ts", "is marked beside its other tags and copied byte by byte: %s"],
      [
        "handlers/respond.aws.test.ts",
        "leaves the list of what is trained on, which nobody but the responder could read any more",
      ],
      ["handlers/respond.aws.test.ts", "is revoked or disabled by a runbook that is followed to its end"],
    ],
  },
];

export const COST: readonly Requirement[] = [
  {
    id: "$1",
    promise: "Monthly cost is estimated before and after a change, from a dated price table",
    from: "learning",
    keptBy: ["API"],
    notYet: "the estimate",
  },
  {
    id: "$2",
    promise: "Spot savings are shown, and everything that costs while idle is named",
    from: "learning",
    keptBy: ["API"],
    notYet: "the estimate",
  },
  {
    id: "$3",
    promise: "A change that exceeds team or pipeline budget needs an approval",
    from: "learning",
    keptBy: ["API"],
    tests: [
      ["src/approvals/votes.db.test.ts", "are asked for by a budget that grows beyond the team's"],
      [
        "src/approvals/terms.test.ts",
        "ask for the budget only where it grows and the team's doesn't suffice",
      ],
    ],
  },
  {
    id: "$4",
    promise: "Notebooks and development endpoints stop and start on schedule",
    from: "learning",
    keptBy: ["resources", "handlers"],
    policies: ["sagemaker-notebook-stops"],
    pipeline: [["scheduler/schedule:Schedule", /^stop-(notebook|endpoints)$/]],
    tests: [
      [
        "programs/components/dev-notebook.test.ts",
        "is stopped by a function on time, because stopping a stopped one is an error",
      ],
      [
        "programs/components/dev-notebook.test.ts",
        "of development and staging are looked for every hour, and no other can be deleted",
      ],
      ["handlers/stop-idle.aws.test.ts", "is stopped while it runs, and left alone when it has stopped"],
      ["handlers/stop-idle.aws.test.ts", "is deleted after an hour without a request, which is told once"],
    ],
    notYet: "a start on schedule: a notebook is started by hand, an endpoint of development by a release",
  },
];
