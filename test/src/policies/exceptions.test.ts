import { describe, expect, it } from "vitest";
import type { Principal } from "../../../src/access/principal.ts";
import { assertMayApprove, checkExpiry, toPolicyException } from "../../../src/policies/exceptions.ts";

const now = new Date("2026-05-04T12:00:00Z");
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);

const approver = (who: Partial<Principal> = {}): Principal => ({
  subject: "user:00u-grace",
  label: "grace@example.com",
  platform: new Set(),
  teams: new Map([["fraud", new Set(["approver"] as const)]]),
  ...who,
});
const pipeline = { owner: "ada@example.com", requesters: ["user:00u-ada"] };
const approve =
  (who: Partial<Principal>, of = pipeline) =>
  () =>
    assertMayApprove(approver(who), of);

describe("an exception from a policy", () => {
  it("ends in the future, within a year", () => {
    for (const days of [1, 366]) expect(() => checkExpiry(inDays(days), now)).not.toThrow();
    for (const days of [-1, 0, 367]) {
      expect(() => checkExpiry(inDays(days), now)).toThrow(
        expect.objectContaining({
          code: "invalid_request",
          details: { errors: [expect.objectContaining({ path: "/expiresAt" })] },
        }),
      );
    }
  });

  it("is approved by somebody who neither owns the pipeline nor asked for its spec", () => {
    expect(approve({})).not.toThrow();
  });

  it.each<[string, Partial<Principal>]>([
    ["the pipeline's owner, by the name people know", { label: " Ada@Example.com" }],
    ["the pipeline's owner, by the issuer's name", { subject: "user:ada@example.com" }],
    ["who asked for its spec", { subject: "user:00u-ada" }],
    ["an admin who owns the pipeline", { label: "ada@example.com", platform: new Set(["admin"] as const) }],
  ])("is not approved by %s", (_who, who) => {
    expect(approve(who)).toThrow(expect.objectContaining({ code: "forbidden", httpStatus: 403 }));
  });

  it("is approved by an admin who asked for the spec: there may be nobody else", () => {
    expect(approve({ subject: "user:00u-ada", platform: new Set(["admin"] as const) })).not.toThrow();
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
