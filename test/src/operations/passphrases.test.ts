import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stackPassphrases } from "../../../src/operations/passphrases.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);

describe("stackPassphrases", () => {
  it("gives a stack the same passphrase after every restart", () => {
    expect(stackPassphrases("master").of("aidlc-pipeline", "ml.churn")).toBe(
      stackPassphrases("master").of("aidlc-pipeline", "ml.churn"),
    );
  });

  it("gives no two stacks the same passphrase", () => {
    const { of } = stackPassphrases("master");
    fc.assert(
      fc.property(name, name, name, name, (project, stack, otherProject, otherStack) => {
        fc.pre(project !== otherProject || stack !== otherStack);
        expect(of(project, stack)).not.toBe(of(otherProject, otherStack));
      }),
    );
  });

  it("depends on the master and never shows it", () => {
    const master = "a-long-master-passphrase";
    const derived = stackPassphrases(master).of("p", "s");
    expect(derived).not.toBe(stackPassphrases(`${master}2`).of("p", "s"));
    expect(derived).not.toContain(master);
    expect(Buffer.from(derived, "base64url")).toHaveLength(32);
  });

  it("follows HKDF-SHA-256 to the letter, because a change would lock every existing state", () => {
    // Computed with Python: HMAC-based extract and expand of RFC 5869.
    expect(stackPassphrases("master").of("aidlc-pipeline", "ml.churn")).toBe(
      "uhGkXGB1-qfZGkLb4s5iQJS5z9z7Roc2Y8WgWvDminY",
    );
  });
});
