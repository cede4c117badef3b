import { describe, expect, test } from "vitest";
import { checkBag, checkInputs, failureText } from "../../../src/sandbox/check.ts";
import type { NameRequest } from "../../../src/sandbox/names.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import { type PropertyMap, unknownValue } from "../../../src/sandbox/values.ts";
import { requiredInputs } from "./sample-inputs.ts";

const schema = new Schema();

function check(token: string, inputs: PropertyMap, naming: Partial<NameRequest> = {}) {
  const type = schema.resource(token);
  if (!type) throw new Error(`no type ${token}`);
  const request = { logicalName: "thing", olds: {}, seed: new Uint8Array([1]), ...naming };
  const { inputs: checked, failures } = checkInputs(schema, type, inputs, request);
  return { checked, failures: failures.map(failureText) };
}

const bucket = "aws:s3/bucket:Bucket";
const versioning = "aws:s3/bucketVersioning:BucketVersioning";
const role = "aws:iam/role:Role";

describe("checking inputs", () => {
  test("an unknown property is refused with the name that was meant", () => {
    expect(check(bucket, { bucket: "a-bucket", forceDestory: true }).failures).toEqual([
      'forceDestory is not a property of aws:s3/bucket:Bucket: did you mean "forceDestroy"?',
    ]);
  });

  test("an unknown property is found inside lists and objects", () => {
    const inputs = { bucket: "b", versioningConfiguration: { status: "Enabled", mfaDelet: "x" } };
    expect(check(versioning, inputs).failures).toEqual([
      'versioningConfiguration.mfaDelet is not a property of versioningConfiguration: did you mean "mfaDelete"?',
    ]);
  });

  test("a missing required property is named", () => {
    expect(check(versioning, { bucket: "b" }).failures).toEqual([
      "versioningConfiguration is required by aws:s3/bucketVersioning:BucketVersioning: set it",
    ]);
  });

  test("a value of the wrong type is shown", () => {
    expect(check(bucket, { bucket: "a-bucket", forceDestroy: "yes" }).failures).toEqual([
      'forceDestroy must be true or false, not "yes"',
    ]);
  });

  test("a value outside an enumeration is refused with the allowed ones", () => {
    const inputs = { bucket: "b", versioningConfiguration: { status: "On" } };
    expect(check(versioning, inputs).failures[0]).toMatch(
      /versioningConfiguration\.status must be one of "Enabled".*, not "On"/,
    );
  });

  test("patterns, lengths and ranges are AWS's", () => {
    expect(check(bucket, { bucket: "Upper_Case" }).failures[0]).toMatch(
      /^bucket must match .* "Upper_Case" does not$/,
    );
    expect(check(bucket, { bucket: "ab" }).failures[0]).toMatch(
      /bucket must have 3 to 63 characters, "ab" has 2/,
    );
    expect(check("aws:kms/key:Key", { deletionWindowInDays: 3 }).failures).toEqual([
      "deletionWindowInDays must be between 7 and 30, not 3",
    ]);
  });

  test("unknown values of a preview pass", () => {
    expect(
      check(versioning, { bucket: unknownValue, versioningConfiguration: unknownValue }).failures,
    ).toEqual([]);
  });

  test("of alternatives exactly one is allowed", () => {
    const token = "aws:ec2/routeTableAssociation:RouteTableAssociation";
    const table = { routeTableId: "rtb-1" };
    expect(check(token, { ...table, subnetId: "subnet-1" }).failures).toEqual([]);
    expect(check(token, table).failures).toEqual([
      "subnetId exactly one of subnetId, gatewayId must be set, none is",
    ]);
    expect(check(token, { ...table, subnetId: "subnet-1", gatewayId: "igw-1" }).failures).toEqual([
      "subnetId exactly one of subnetId, gatewayId must be set, 2 are",
    ]);
  });

  test("a name and a prefix of the name conflict", () => {
    const inputs = { assumeRolePolicy: "{}", name: "a", namePrefix: "b" };
    expect(check(role, inputs).failures).toEqual(["name conflicts with namePrefix: keep only one of them"]);
  });

  test("tags that AWS reserves are refused", () => {
    expect(check(bucket, { bucket: "a-bucket", tags: { "aws:x": "1" } }).failures).toEqual([
      'tags["aws:x"] tag keys must not begin with "aws:": rename "aws:x"',
    ]);
  });

  test("a map's member is any text, whatever its name", () => {
    const inputs = { restApi: "a", triggers: { definition: "no JSON", policy: "neither" } };
    expect(check("aws:apigateway/deployment:Deployment", inputs).failures).toEqual([]);
  });

  test("a policy must be JSON and well formed", () => {
    expect(check(role, { name: "r", assumeRolePolicy: "{" }).failures).toEqual([
      'assumeRolePolicy must be valid JSON, not "{"',
    ]);
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Permit", Action: "*" }] });
    expect(check("aws:iam/policy:Policy", { name: "r", policy }).failures).toEqual([
      'policy MalformedPolicyDocument: statement 0 needs the Effect "Allow" or "Deny", not "Permit"',
    ]);
  });

  test("a policy must not be longer than AWS allows", () => {
    const sid = "s".repeat(7000);
    const policy = JSON.stringify({ Statement: [{ Sid: sid, Effect: "Allow", Action: "*", Resource: "*" }] });
    expect(check("aws:iam/policy:Policy", { name: "p", policy }).failures).toEqual([
      `policy LimitExceeded: has ${policy.length} characters, AWS allows 6144: shorten or split it`,
    ]);
  });

  test("a policy given as an object becomes JSON text", () => {
    const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Principal: "*" }] };
    const { checked, failures } = check(role, { name: "r", assumeRolePolicy: document });
    expect(failures).toEqual([]);
    expect(JSON.parse(String(checked.assumeRolePolicy))).toEqual(document);
  });

  test.each(schema.tokens())("the required properties of %s pass the type check", (token) => {
    const type = schema.resource(token)!;
    const { failures } = checkBag(schema, type.inputs, requiredInputs(schema, type), token);
    expect(failures.filter(({ message }) => !message.startsWith("must be valid JSON"))).toEqual([]);
  });
});

describe("automatic names", () => {
  test("a name that is left out is the logical name with a random end", () => {
    const { checked } = check(bucket, {}, { logicalName: "MyBucket" });
    expect(checked.bucket).toMatch(/^mybucket-[0-9a-f]{7}$/);
    expect(checked.__defaults).toEqual(["bucket"]);
  });

  test("the same seed gives the same name, so that preview and update agree", () => {
    expect(check(bucket, {}).checked).toEqual(check(bucket, {}).checked);
    expect(check(bucket, {}, { seed: new Uint8Array([2]) }).checked).not.toEqual(check(bucket, {}).checked);
  });

  test("an automatic name is kept by later checks", () => {
    const first = check(bucket, {}).checked;
    expect(check(bucket, {}, { olds: first, seed: new Uint8Array([9]) }).checked.bucket).toBe(first.bucket);
  });

  test("an explicit name that the program drops gives way to an automatic one", () => {
    expect(check(bucket, {}, { olds: { bucket: "explicit" } }).checked.bucket).toMatch(/^thing-/);
  });

  test("the engine's naming is honoured", () => {
    const named = (mode: "propose" | "enforce" | "disable") =>
      check(bucket, {}, { autonaming: { mode, proposedName: "Wanted" } }).checked.bucket;
    expect(named("propose")).toBe("wanted");
    expect(named("enforce")).toBe("Wanted");
    expect(named("disable")).toBeUndefined();
  });

  test("names are cut to what AWS allows", () => {
    const { checked } = check(role, { assumeRolePolicy: "{}" }, { logicalName: "r".repeat(100) });
    expect(String(checked.name)).toHaveLength(64);
  });
});
