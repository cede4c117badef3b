import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { organizationProgram } from "../../programs/organization.ts";
import { guardrails } from "../../programs/organization-policies.ts";
import { ofType, runProgram } from "./support/run-program.ts";

const ROLE = "arn:aws:iam::*:role/aidlc-provisioner";
const INPUT = {
  account: { accountId: "999988887777", region: "us-east-1" },
  targets: ["r-ab12", "ou-ab12-cdef3456"],
  regions: ["eu-west-1", "us-east-1"],
  exemptRoles: [ROLE],
};

interface Denial {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const denials = (input = INPUT) =>
  Object.values(guardrails(input)).flatMap(
    ({ content }) => (JSON.parse(content) as { Statement: Denial[] }).Statement,
  );
const denialOf = (action: string) => denials().find(({ Action = [] }) => Action.includes(action));

describe("an organization's guardrails", () => {
  it.each([
    "organizations:LeaveOrganization",
    "cloudtrail:StopLogging",
    "config:StopConfigurationRecorder",
    "guardduty:DeleteDetector",
    "securityhub:DisableSecurityHub",
    "s3:PutAccountPublicAccessBlock",
    "ec2:DisableEbsEncryptionByDefault",
  ])("deny %s", (action) => {
    expect(denialOf(action)?.Effect).toBe("Deny");
  });

  it("let the service's own role through, but not out of the organization", () => {
    expect(denialOf("cloudtrail:StopLogging")?.Condition).toEqual({
      ArnNotLike: { "aws:PrincipalArn": [ROLE] },
    });
    expect(denialOf("organizations:LeaveOrganization")?.Condition).toBeUndefined();
  });

  it("deny volumes only when they are not encrypted, and access lists only when they are public", () => {
    expect(denialOf("ec2:CreateVolume")?.Condition).toEqual({ Bool: { "ec2:Encrypted": "false" } });
    expect(denialOf("s3:PutObjectAcl")?.Condition).toMatchObject({
      StringEquals: { "s3:x-amz-acl": expect.arrayContaining(["public-read"]) },
    });
  });

  it("deny everything outside the regions, but for services that have none", () => {
    const region = denials().find(({ Sid }) => Sid === "StayInRegions");
    expect(region?.Condition?.StringNotEquals).toEqual({ "aws:RequestedRegion": ["eu-west-1", "us-east-1"] });
    expect(region?.NotAction).toEqual(expect.arrayContaining(["iam:*", "sts:*", "organizations:*"]));
  });

  it("only ever deny", () => {
    expect(new Set(denials().map(({ Effect }) => Effect))).toEqual(new Set(["Deny"]));
  });

  it("stay within the 5,120 characters that AWS takes, or say what to shorten", () => {
    fc.assert(
      fc.property(fc.nat(120), fc.nat(60), (regions, roles) => {
        const input = {
          regions: Array.from({ length: regions }, (_, index) => `eu-region-${index}`),
          exemptRoles: Array.from({ length: roles }, (_, index) => `${ROLE}-${index}`),
        };
        try {
          for (const { content } of Object.values(guardrails(input)))
            expect(content.length).toBeLessThanOrEqual(5120);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toContain("name fewer regions or roles");
        }
      }),
    );
  });
});

describe("an organization's stack", () => {
  it("attaches every guardrail to every target, within the five that AWS attaches at most", async () => {
    const run = await runProgram(organizationProgram(INPUT));
    expect(ofType(run, "organizations/policy:Policy").map(({ inputs }) => inputs.name)).toEqual([
      "aidlc-records",
      "aidlc-data",
      "aidlc-regions",
    ]);
    const attached = ofType(run, "organizations/policyAttachment:PolicyAttachment").map(
      ({ inputs }) => inputs,
    );
    expect(attached).toHaveLength(6);
    for (const target of INPUT.targets)
      expect(attached.filter(({ targetId }) => targetId === target).length).toBeLessThan(5);
    expect(run.outputs).toEqual({
      policyIds: { records: "records-id", data: "data-id", regions: "regions-id" },
    });
  });

  it.each([[[]], [["everything"]], [["1234"]]])("has targets that AWS knows, not %j", async (targets) => {
    await expect(runProgram(organizationProgram({ ...INPUT, targets }))).rejects.toThrow("Targets must be");
  });
});
