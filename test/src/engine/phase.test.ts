import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUrn, phases } from "../../../src/engine/phase.ts";

const stack = "urn:pulumi:ml.churn::aidlc-pipeline";

describe("parseUrn", () => {
  it("reads type, name and phase of a resource in a phase's component", () => {
    const urn = `${stack}::aidlc:phase:Infrastructure$aidlc:component:ProtectedBucket$aws:s3/bucket:Bucket::raw`;
    expect(parseUrn(urn)).toEqual({ type: "aws:s3/bucket:Bucket", name: "raw", phase: "infrastructure" });
  });

  it("gives a phase's component its own phase", () => {
    expect(parseUrn(`${stack}::aidlc:phase:Learning::learning`)).toEqual({
      type: "aidlc:phase:Learning",
      name: "learning",
      phase: "learning",
    });
  });

  it.each([
    ["the stack", `${stack}::pulumi:pulumi:Stack::aidlc-pipeline-ml.churn`],
    ["a provider", `${stack}::pulumi:providers:aws::main`],
    ["a phase that doesn't exist", `${stack}::aidlc:phase:Operations$aws:s3/bucket:Bucket::raw`],
    ["a component of another kind", `${stack}::aidlc:component:Network$aws:ec2/vpc:Vpc::vpc`],
  ])("finds no phase in %s", (_, urn) => {
    expect(parseUrn(urn).phase).toBeUndefined();
  });

  it("keeps a name whole that has the separators of URNs in it", () => {
    expect(parseUrn(`${stack}::aws:s3/bucket:Bucket::a::b$c`).name).toBe("a::b$c");
  });

  it("finds every phase at any depth, with any name", () => {
    const component = fc.constantFrom("aidlc:component:A", "aidlc:component:B");
    fc.assert(
      fc.property(
        fc.constantFrom(...phases),
        fc.array(component, { maxLength: 4 }),
        fc.string({ minLength: 1 }),
        (phase, components, name) => {
          const title = `${phase.charAt(0).toUpperCase()}${phase.slice(1)}`;
          const types = [`aidlc:phase:${title}`, ...components, "aws:sns/topic:Topic"].join("$");
          expect(parseUrn(`${stack}::${types}::${name}`)).toEqual({
            type: "aws:sns/topic:Topic",
            name,
            phase,
          });
        },
      ),
    );
  });

  it("answers text that is no URN without a phase", () => {
    expect(parseUrn("")).toEqual({ type: "", name: "", phase: undefined });
  });
});
