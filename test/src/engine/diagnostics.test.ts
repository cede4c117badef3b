import { describe, expect, it } from "vitest";
import { operationError } from "../../../src/engine/diagnostics.ts";

const prefix = "urn:pulumi:ml.churn::aidlc-pipeline";
const bucket = `${prefix}::aidlc:phase:Infrastructure$aws:s3/bucket:Bucket::raw`;
const topic = `${prefix}::aidlc:phase:Learning$aws:sns/topic:Topic::alerts`;
const stack = `${prefix}::pulumi:pulumi:Stack::aidlc-pipeline-ml.churn`;

/** An error as the AWS plugin words it. */
const awsError = (service: string, operation: string, status: number, code: string, text: string) =>
  `1 error occurred:\n\t* operation error ${service}: ${operation}, https response error StatusCode: ${status}, RequestID: 3f1c, api error ${code}: ${text}`;

const codeOf = (message: string) => operationError([{ message, urn: bucket }], "").code;

describe("operationError", () => {
  it.each([
    ["access_denied", "S3", "CreateBucket", 403, "AccessDenied", "Access Denied"],
    [
      "access_denied",
      "KMS",
      "CreateKey",
      400,
      "AccessDeniedException",
      "User is not authorized to perform: kms:CreateKey",
    ],
    [
      "access_denied",
      "EC2",
      "CreateVpc",
      403,
      "UnauthorizedOperation",
      "You are not authorized to perform this operation.",
    ],
    [
      "access_denied",
      "STS",
      "AssumeRole",
      403,
      "InvalidClientTokenId",
      "The security token included in the request is invalid",
    ],
    [
      "access_denied",
      "STS",
      "AssumeRole",
      403,
      "ExpiredToken",
      "The security token included in the request is expired",
    ],
    [
      "access_denied",
      "STS",
      "AssumeRole",
      403,
      "ExpiredTokenException",
      "The security token included in the request is expired",
    ],
    ["throttled", "IAM", "CreateRole", 400, "Throttling", "Rate exceeded"],
    ["throttled", "SageMaker", "CreatePipeline", 400, "ThrottlingException", "Rate exceeded"],
    ["throttled", "Lambda", "CreateFunction", 429, "TooManyRequestsException", "Rate Exceeded."],
    ["throttled", "EC2", "CreateVpc", 503, "RequestLimitExceeded", "Request limit exceeded."],
    ["throttled", "S3", "PutBucketPolicy", 503, "SlowDown", "Please reduce your request rate."],
    [
      "quota_exceeded",
      "EC2",
      "CreateVpc",
      400,
      "VpcLimitExceeded",
      "The maximum number of VPCs has been reached.",
    ],
    [
      "quota_exceeded",
      "S3",
      "CreateBucket",
      400,
      "TooManyBuckets",
      "You have attempted to create more buckets than allowed",
    ],
    [
      "quota_exceeded",
      "IAM",
      "CreateRole",
      409,
      "LimitExceeded",
      "Cannot exceed quota for RolesPerAccount: 1000",
    ],
    [
      "quota_exceeded",
      "SageMaker",
      "CreatePipeline",
      400,
      "ResourceLimitExceeded",
      "The account-level service limit is 0",
    ],
    ["quota_exceeded", "Backup", "CreateBackupVault", 400, "ServiceQuotaExceededException", "Quota exceeded"],
    [
      "already_exists",
      "S3",
      "CreateBucket",
      409,
      "BucketAlreadyExists",
      "The requested bucket name is not available.",
    ],
    ["already_exists", "S3", "CreateBucket", 409, "BucketAlreadyOwnedByYou", "You already own it."],
    ["already_exists", "IAM", "CreateRole", 409, "EntityAlreadyExists", "Role with name x already exists."],
    [
      "already_exists",
      "KMS",
      "CreateAlias",
      400,
      "AlreadyExistsException",
      "An alias with the name already exists",
    ],
    [
      "already_exists",
      "CloudWatchLogs",
      "CreateLogGroup",
      400,
      "ResourceAlreadyExistsException",
      "The log group exists",
    ],
    [
      "already_exists",
      "EC2",
      "AuthorizeEgress",
      400,
      "InvalidPermission.Duplicate",
      "the specified rule already exists",
    ],
    [
      "already_exists",
      "Budgets",
      "CreateBudget",
      400,
      "DuplicateRecordException",
      "the budget already exists",
    ],
    [
      "in_use",
      "IAM",
      "DeleteRole",
      409,
      "DeleteConflict",
      "Cannot delete entity, must detach all policies first.",
    ],
    [
      "in_use",
      "EC2",
      "DeleteSubnet",
      400,
      "DependencyViolation",
      "The subnet has dependencies and cannot be deleted.",
    ],
    ["in_use", "S3", "DeleteBucket", 409, "BucketNotEmpty", "The bucket you tried to delete is not empty."],
    [
      "in_use",
      "ECR",
      "DeleteRepository",
      400,
      "RepositoryNotEmptyException",
      "The repository cannot be deleted",
    ],
    ["in_use", "SageMaker", "DeletePipeline", 400, "ConflictException", "An execution is in progress"],
    [
      "missing_reference",
      "S3",
      "PutBucketPolicy",
      404,
      "NoSuchBucket",
      "The specified bucket does not exist",
    ],
    ["missing_reference", "IAM", "AttachRolePolicy", 404, "NoSuchEntity", "The role cannot be found."],
    ["missing_reference", "KMS", "DescribeKey", 400, "NotFoundException", "Key does not exist"],
    ["missing_reference", "EC2", "CreateSubnet", 400, "InvalidVpcID.NotFound", "The vpc ID does not exist"],
    ["missing_reference", "Events", "PutTargets", 400, "ResourceNotFoundException", "Rule does not exist."],
    ["invalid_input", "SageMaker", "CreatePipeline", 400, "ValidationException", "Invalid request provided"],
    ["invalid_input", "IAM", "CreateRole", 400, "MalformedPolicyDocument", "Syntax errors in policy."],
    ["invalid_input", "SNS", "Subscribe", 400, "InvalidParameter", "Invalid parameter: Email address"],
    [
      "invalid_input",
      "EC2",
      "CreateVpc",
      400,
      "InvalidParameterValue",
      "Value for parameter cidrBlock is wrong",
    ],
  ] as const)("is %s for %s %s %s %s", (code, service, operation, status, awsCode, text) => {
    expect(codeOf(awsError(service, operation, status, awsCode, text))).toBe(code);
  });

  it.each([
    [
      "stack_locked",
      "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end",
    ],
    ["backend_unavailable", "unable to open bucket s3://states: dial tcp: no such host"],
    [
      "backend_unavailable",
      "post-step event returned an error: failed to save snapshot: An IO error occurred while writing the new snapshot file",
    ],
    ["program_failed", "Running program failed with an unhandled exception:"],
    [
      "missing_reference",
      "2 errors occurred:\n\n    * NoSuchBucket: it is gone\n    * NoSuchKey: it is gone too",
    ],
    ["engine_failed", "something that nobody has seen before"],
  ])("is %s where the engine itself says %j", (code, message) => {
    expect(operationError([{ message }], "").code).toBe(code);
  });

  it("goes by AWS's error code, not by words that happen to stand in its text", () => {
    // AWS's prose quotes names and values, which may be anything.
    expect(
      codeOf(awsError("IAM", "CreateRole", 400, "ValidationError", "Role NotFound is a reserved name")),
    ).toBe("invalid_input");
    expect(
      codeOf(
        awsError(
          "IAM",
          "PutRolePolicy",
          403,
          "AccessDenied",
          "not authorized on resource: policy Throttling",
        ),
      ),
    ).toBe("access_denied");
  });

  it.each([
    "error reading from server: EOF",
    'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:37863: connect: connection refused"',
  ])("knows a provider that disappeared: %s", (message) => {
    expect(operationError([{ message, urn: bucket }], "").code).toBe("provider_lost");
  });

  it("names the resource where it happened and what to do about it", () => {
    const error = operationError(
      [{ message: awsError("S3", "CreateBucket", 409, "BucketAlreadyExists", "taken"), urn: bucket }],
      "",
    );
    expect(error.resource).toEqual({ urn: bucket, type: "aws:s3/bucket:Bucket", name: "raw" });
    expect(error.message).toContain("BucketAlreadyExists: taken");
    expect(error.remedy).toMatch(/remove or rename/);
  });

  it("prefers the diagnostic of a resource to the engine's closing words and keeps the further ones", () => {
    const error = operationError(
      [
        { message: "update failed", urn: stack },
        { message: awsError("S3", "CreateBucket", 403, "AccessDenied", "no"), urn: bucket },
        { message: awsError("SNS", "CreateTopic", 400, "Throttling", "slow"), urn: topic },
      ],
      "",
    );
    expect(error.code).toBe("access_denied");
    expect(error.resource?.urn).toBe(bucket);
    expect(error.others).toEqual([expect.stringContaining("Throttling: slow")]);
  });

  it("uses the fallback when the engine gave no diagnostic", () => {
    expect(operationError([], "exit status 255")).toMatchObject({
      code: "engine_failed",
      message: "exit status 255",
    });
  });

  it("names no resource that isn't one of AWS", () => {
    expect(operationError([{ message: "failed", urn: stack }], "")).not.toHaveProperty("resource");
  });

  it("leaves out stack traces, and cuts a message that has no end", () => {
    const trace = operationError([{ message: "it broke\n\n    at file.js:1", urn: bucket }], "");
    expect(trace.message).toBe("it broke");
    const long = operationError([{ message: "x".repeat(100_000), urn: bucket }], "");
    expect(long.message.length).toBeLessThanOrEqual(2_001);
  });

  it("always has a message and a remedy", () => {
    for (const message of ["", "\n\n", "AccessDenied"]) {
      const error = operationError([{ message, urn: bucket }], "the engine ended with code 1");
      expect(error.message).not.toBe("");
      expect(error.remedy).not.toBe("");
    }
  });
});
