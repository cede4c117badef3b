import type { IncidentEvent, UnknownEvent } from "./incident-event.ts";

/** Where objects can be that are set apart. */
export type SuspectBucket = "raw" | "validated" | "predictions";

export type Action =
  | {
      readonly kind: "quarantine";
      readonly bucket: SuspectBucket;
      readonly key: string;
      readonly versionId?: string;
    }
  | { readonly kind: "revoke"; readonly role: string }
  | { readonly kind: "disable"; readonly function: string };

/** What is done about an event, and who is told. */
export interface Response {
  /** What happened, for the record: kinds and names, no content. */
  readonly cause: Readonly<Record<string, string | number>>;
  readonly actions: readonly Action[];
  /** Undefined where somebody is told already and nothing is done. */
  readonly severity: "warning" | "critical" | undefined;
}

/** The pipeline's own names: nothing else is ever acted on. */
export interface Surroundings {
  /** Of roles and functions, without the hyphen that follows. */
  readonly prefix: string;
  readonly buckets: Readonly<Record<SuspectBucket, string>>;
}

/** GuardDuty calls findings from here on high: a resource is compromised and used (https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html). */
const HIGH = 7;

/** Types of Security Hub's findings that tell of an attack rather than of a setting that is not as it should be. */
const ATTACKS = ["TTPs/", "Effects/", "Unusual Behaviors/"];

/** Who acts in an incident would stop acting. */
const RESPONDERS = ["respond", "containment", "incidents"];

/** The runbooks take no other names. */
const PART = /^[a-z0-9-]{1,15}$/;

function ownName({ prefix }: Surroundings, name: string | undefined): string | undefined {
  if (name === undefined || !name.startsWith(`${prefix}-`)) return undefined;
  const part = name.slice(prefix.length + 1);
  return PART.test(part) && !RESPONDERS.includes(part) ? name : undefined;
}

const revoked = (around: Surroundings, role: string | undefined): Action[] => {
  const own = ownName(around, role);
  return own === undefined ? [] : [{ kind: "revoke", role: own }];
};

const disabled = (around: Surroundings, name: string | undefined): Action[] => {
  const own = ownName(around, name);
  return own === undefined ? [] : [{ kind: "disable", function: own }];
};

function quarantined(
  { buckets }: Surroundings,
  bucket: string | undefined,
  key: string | undefined,
  versionId?: string,
): Action[] {
  const found = Object.entries(buckets).find(([, name]) => name === bucket);
  if (found === undefined || !key) return [];
  const [kind] = found as [SuspectBucket, string];
  return [{ kind: "quarantine", bucket: kind, key, ...(versionId && { versionId }) }];
}

/** What is done about an event. A pure function; what has no rule is told and not acted on. */
export function responseTo(event: IncidentEvent | UnknownEvent, around: Surroundings): Response {
  switch (event.source) {
    case "aws.guardduty":
      return toThreat(event, around);
    case "aws.securityhub":
      return toFindings(event, around);
    case "aws.cloudwatch":
      // Alarms tell by themselves, and none names anybody to act on.
      return { cause: { kind: "alarm", alarm: event.detail.alarmName }, actions: [], severity: undefined };
    case "aws.kms":
    case "aws.s3":
      return toTampering(event, around);
    default:
      return { cause: { kind: "unknown" }, actions: [], severity: "warning" };
  }
}

type EventOf<Source extends string> = Extract<IncidentEvent, { source: Source }>;

function toThreat({ detail }: EventOf<"aws.guardduty">, around: Surroundings): Response {
  const { id, type, severity, resource } = detail;
  const isHigh = severity >= HIGH;
  const { userName, userType } = resource.accessKeyDetails ?? {};
  // Roles can be revoked; a person's own user is not the pipeline's.
  const role = userType === "AssumedRole" || userType === "Role" ? userName : undefined;
  const objects = (resource.s3BucketDetails ?? []).flatMap(({ name, s3ObjectDetails = [] }) =>
    s3ObjectDetails.flatMap(({ key, versionId }) => quarantined(around, name, key, versionId)),
  );
  return {
    cause: { kind: "threat", finding: id, type, severity },
    actions: [
      ...objects,
      ...(isHigh ? revoked(around, role) : []),
      ...(isHigh ? disabled(around, resource.lambdaDetails?.functionName) : []),
    ],
    severity: isHigh || objects.length > 0 ? "critical" : "warning",
  };
}

function toFindings({ detail }: EventOf<"aws.securityhub">, around: Surroundings): Response {
  const actions = detail.findings.flatMap(({ Types: types = [], Resources }) =>
    types.some((type) => ATTACKS.some((attack) => type.startsWith(attack)))
      ? Resources.flatMap(({ Type: type, Id: id }) => actionsOn(type, id, around))
      : [],
  );
  const [first] = detail.findings;
  return {
    cause: {
      kind: "finding",
      finding: first?.Id ?? "",
      type: first?.Types?.[0] ?? "",
      findings: detail.findings.length,
    },
    actions,
    severity: "critical",
  };
}

function actionsOn(type: string, id: string, around: Surroundings): Action[] {
  if (type === "AwsIamRole") return revoked(around, /:role\/(?:.*\/)?([^/]+)$/.exec(id)?.[1]);
  if (type === "AwsLambdaFunction") return disabled(around, /:function:([^:]+)/.exec(id)?.[1]);
  if (type !== "AwsS3Object") return [];
  const [, bucket, key] = /^arn:[^:]+:s3:::([^/]+)\/(.+)$/.exec(id) ?? [];
  return quarantined(around, bucket, key);
}

/** People are told by the rules themselves. No role of the pipeline changes protections, so a session that does is stolen. */
function toTampering({ detail, source }: EventOf<"aws.kms" | "aws.s3">, around: Surroundings): Response {
  const { type, userName } = detail.userIdentity.sessionContext?.sessionIssuer ?? {};
  const actions = type === "Role" ? revoked(around, userName) : [];
  return {
    cause: { kind: "tampering", service: source, call: detail.eventName, trail: detail.eventID ?? "" },
    actions,
    severity: actions.length > 0 ? "critical" : undefined,
  };
}
