import { describe, expect, it } from "vitest";
import { checkRequest, FoundationRequest, settingsFor } from "../../../src/accounts/settings.ts";
import { parser } from "../../../src/http/validation.ts";

const asks = parser(FoundationRequest);

describe("what a registration asks of the foundation", () => {
  it("is the cheapest and safest unless it says otherwise", () => {
    expect(asks({})).toEqual({
      profile: "learning",
      securityServices: false,
      existing: {},
      onUnused: "keep",
    });
  });

  it.each([
    ["10.64.0.1/16", "is not an IPv4 network address"],
    ["8.8.0.0/16", "must lie within"],
    ["10.0.0.0/8", "prefix must be 16 to 24"],
  ])("can't have the address range %s", (cidr, message) => {
    expect(() => checkRequest(asks({ cidr }))).toThrow(message);
  });

  it("is refused with a singleton that there is not", () => {
    expect(() => asks({ existing: { nat: "x" } })).toThrow("/existing/nat");
  });
});

describe("the settings of a foundation that several share", () => {
  const agreed = (...requests: object[]) => settingsFor(requests.map(asks), undefined);

  it("are the strictest profile that anyone asks for", () => {
    expect(agreed({}, { profile: "production" }, {}).profile).toBe("production");
    expect(agreed({}, {}).profile).toBe("learning");
  });

  it("have the security services if anyone asks", () => {
    expect(agreed({}, { securityServices: true }).securityServices).toBe(true);
    expect(agreed({}).securityServices).toBe(false);
  });

  it.each([
    [["keep", "release", "destroy"], "keep"],
    [["destroy", "release"], "release"],
    [["destroy", "destroy"], "destroy"],
  ])("end by the safest of %j", (policies, end) => {
    expect(agreed(...policies.map((onUnused) => ({ onUnused }))).onUnused).toBe(end);
  });

  it("have one address range: that of whoever names one", () => {
    expect(agreed({}, { cidr: "10.70.0.0/16" }).cidr).toBe("10.70.0.0/16");
    expect(agreed({}, {}).cidr).toBe("10.64.0.0/16");
    expect(() => agreed({ cidr: "10.70.0.0/16" }, { cidr: "10.71.0.0/16" })).toThrow(
      expect.objectContaining({
        code: "account_conflict",
        message: expect.stringMatching(/10\.71\.0\.0\/16 .* 10\.70\.0\.0\/16: give that, or leave it out/),
      }),
    );
  });

  it("keep the range of a network that is there", () => {
    expect(settingsFor([asks({})], "10.99.0.0/16").cidr).toBe("10.99.0.0/16");
    expect(() => settingsFor([asks({ cidr: "10.70.0.0/16" })], "10.99.0.0/16")).toThrow("10.99.0.0/16");
  });

  it("use what any of them names as it is, and nothing by two ids", () => {
    const named = agreed({ existing: { guardDuty: "a" } }, { existing: { trail: "arn:t" } });
    expect(named.existing).toEqual({ guardDuty: "a", trail: "arn:t" });
    expect(() => agreed({ existing: { guardDuty: "a" } }, { existing: { guardDuty: "b" } })).toThrow(
      "foundation.existing.guardDuty is b here",
    );
  });
});
