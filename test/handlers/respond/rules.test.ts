import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { incidentEvents } from "../../../handlers/respond/incident-event.ts";
import { copyKey } from "../../../handlers/respond/quarantine.ts";
import { responseTo } from "../../../handlers/respond/rules.ts";
import { aDelivery, aFinding, anAccessKey, anAlarm, aTampering, aThreat } from "../support/incidents.ts";

const PREFIX = "aidlc-research-penguins-abcdefgh";
const AROUND = {
  prefix: PREFIX,
  buckets: {
    raw: "the-raw-bucket",
    validated: "the-validated-bucket",
    predictions: "the-predictions-bucket",
  },
};

function responseOf(event: object | string) {
  const [read] = incidentEvents(aDelivery(event));
  return responseTo(read!, AROUND);
}

const maliciousFile = (bucket: string) =>
  aThreat({
    type: "Object:S3/MaliciousFile",
    severity: 8,
    resource: {
      resourceType: "S3Object",
      s3BucketDetails: [
        {
          arn: `arn:aws:s3:::${bucket}`,
          name: bucket,
          type: "Destination",
          s3ObjectDetails: [
            {
              objectArn: `arn:aws:s3:::${bucket}/in/a.csv`,
              key: "in/a.csv",
              eTag: "x",
              hash: "y",
              versionId: "v1",
            },
          ],
        },
      ],
    },
  });

const stolenKey = (role: string, severity = 8, userType = "AssumedRole") =>
  aThreat({
    type: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    severity,
    resource: { resourceType: "AccessKey", accessKeyDetails: anAccessKey(role, userType) },
  });

const attackOn = (Type: string, Id: string) => aFinding(["TTPs/Initial Access"], [{ Type, Id }]);

describe("a threat", () => {
  it("in an object of the pipeline sets that version apart", () => {
    expect(responseOf(maliciousFile("the-raw-bucket"))).toMatchObject({
      actions: [{ kind: "quarantine", bucket: "raw", key: "in/a.csv", versionId: "v1" }],
      severity: "critical",
    });
  });

  it("by a role or in a function of the pipeline revokes or disables it when it is high", () => {
    expect(responseOf(stolenKey(`${PREFIX}-training`)).actions).toEqual([
      { kind: "revoke", role: `${PREFIX}-training` },
    ]);
    const resource = { resourceType: "Lambda", lambdaDetails: { functionName: `${PREFIX}-gate` } };
    expect(
      responseOf(aThreat({ type: "Backdoor:Lambda/C&CActivity.B", severity: 8, resource })).actions,
    ).toEqual([{ kind: "disable", function: `${PREFIX}-gate` }]);
  });

  it("that is medium is told and not acted on", () => {
    expect(responseOf(stolenKey(`${PREFIX}-training`, 5))).toMatchObject({
      actions: [],
      severity: "warning",
    });
  });

  it("by a person's user revokes nothing", () => {
    expect(responseOf(stolenKey(`${PREFIX}-training`, 8, "IAMUser")).actions).toEqual([]);
  });
});

describe("a finding of Security Hub", () => {
  it("of an attack acts on the roles, functions and objects that it names", () => {
    const actions = [
      attackOn("AwsIamRole", `arn:aws:iam::123456789012:role/aidlc/${PREFIX}-etl`),
      attackOn("AwsLambdaFunction", `arn:aws:lambda:eu-west-1:123456789012:function:${PREFIX}-gate:7`),
      attackOn("AwsS3Object", "arn:aws:s3:::the-validated-bucket/data/a b.csv"),
    ].flatMap((event) => responseOf(event).actions);
    expect(actions).toEqual([
      { kind: "revoke", role: `${PREFIX}-etl` },
      { kind: "disable", function: `${PREFIX}-gate` },
      { kind: "quarantine", bucket: "validated", key: "data/a b.csv" },
    ]);
  });

  it("of a setting is told and not acted on", () => {
    const event = aFinding(
      ["Software and Configuration Checks/AWS Security Best Practices"],
      [{ Type: "AwsIamRole", Id: `arn:aws:iam::123456789012:role/${PREFIX}-etl` }],
    );
    expect(responseOf(event)).toMatchObject({ actions: [], severity: "critical" });
  });
});

describe("tampering", () => {
  it("by a session of a role of the pipeline revokes that role, since none of them changes protections", () => {
    expect(responseOf(aTampering(`${PREFIX}-validate`))).toMatchObject({
      actions: [{ kind: "revoke", role: `${PREFIX}-validate` }],
      severity: "critical",
    });
  });

  it("by anybody else is recorded; its own alert tells it", () => {
    for (const event of [aTampering("admin"), aTampering(`${PREFIX}-validate`, "User")]) {
      expect(responseOf(event)).toMatchObject({ actions: [], severity: undefined });
    }
  });
});

it("acts on no alarm and tells of none a second time", () => {
  expect(responseOf(anAlarm(`${PREFIX}-run-failed`))).toMatchObject({ actions: [], severity: undefined });
});

it.each([
  ["no JSON"],
  ['{"id":"1","source":"aws.health"}'],
  [JSON.stringify({ ...anAlarm("a"), detail: {} })],
])("tells of an event that it doesn't know, and acts on nothing: %s", (message) => {
  expect(responseOf(message)).toMatchObject({ cause: { kind: "unknown" }, actions: [], severity: "warning" });
});

it("never acts on what isn't the pipeline's own, nor on those who act", () => {
  const foreign = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "admin",
      "aidlc-research-penguins-abcdefgg-training",
      `${PREFIX}x-training`,
      PREFIX,
      `${PREFIX}-`,
      `${PREFIX}-respond`,
      `${PREFIX}-containment`,
      `${PREFIX}-a/../admin`,
      `${PREFIX}-longer-than-any-part`,
    ),
  );
  fc.assert(
    fc.property(foreign, (name) => {
      const events = [
        stolenKey(name),
        aTampering(name),
        aThreat({ type: "t", severity: 9, resource: { lambdaDetails: { functionName: name } } }),
        maliciousFile(name),
        attackOn("AwsIamRole", `arn:aws:iam::123456789012:role/${name}`),
        attackOn("AwsLambdaFunction", `arn:aws:lambda:eu-west-1:123456789012:function:${name}`),
        attackOn("AwsS3Object", `arn:aws:s3:::${name}/key`),
      ];
      expect(events.flatMap((event) => responseOf(event).actions)).toEqual([]);
    }),
  );
});

it("keeps copies apart by event, bucket, version and key, however long the key is", () => {
  const long = "x".repeat(1020);
  const keys = [
    copyKey("e1", "raw", "a", "v1"),
    copyKey("e1", "raw", "a", "v2"),
    copyKey("e1", "raw", "a"),
    copyKey("e2", "raw", "a"),
    copyKey("e1", "validated", "a"),
    copyKey("e1", "raw", `${long}1`),
    copyKey("e1", "raw", `${long}2`),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
});
