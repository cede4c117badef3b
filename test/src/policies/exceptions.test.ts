import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { checkException, toPolicyException } from "../../../src/policies/exceptions.ts";

const now = new Date("2026-05-04T12:00:00Z");
const owner = "ada@example.com";
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);
const check = (approvedBy: string, expiresAt: Date) => () =>
  checkException({ approvedBy, expiresAt }, { owner, now });

const failing = (action: () => void): unknown => {
  try {
    action();
  } catch (error) {
    return (error as AppError).details.errors?.map(({ path }) => path);
  }
  return undefined;
};

describe("an exception from a policy", () => {
  it("is granted by somebody else than the pipeline's owner, for at most a year", () => {
    expect(failing(check("security@example.com", inDays(1)))).toBeUndefined();
    expect(failing(check("security@example.com", inDays(366)))).toBeUndefined();
  });

  it("is refused with everything that is wrong with it", () => {
    expect(check(" Ada@Example.com", inDays(367))).toThrow(AppError);
    expect(failing(check(" Ada@Example.com", inDays(367)))).toEqual(["/approvedBy", "/expiresAt"]);
    expect(failing(check("security@example.com", now))).toEqual(["/expiresAt"]);
    expect(failing(check("security@example.com", inDays(-1)))).toEqual(["/expiresAt"]);
  });

  it("reaches the policies without what only the store knows", () => {
    const stored = {
      policy: "s3-versioning-enabled",
      resource: null,
      reason: "It is emptied every night",
      approvedBy: "security@example.com",
      expiresAt: inDays(1),
      createdAt: now,
      updatedAt: now,
    };
    expect(toPolicyException(stored)).toEqual({
      policy: "s3-versioning-enabled",
      reason: "It is emptied every night",
      approvedBy: "security@example.com",
      expiresAt: "2026-05-05T12:00:00.000Z",
    });
    expect(toPolicyException({ ...stored, resource: "raw" })).toMatchObject({ resource: "raw" });
  });
});
