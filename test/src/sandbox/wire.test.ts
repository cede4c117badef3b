import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, test } from "vitest";
import { signatureKey, signatures, unknownValue } from "../../../src/sandbox/values.ts";
import { decodeProperties, encodeProperties } from "../../../src/sandbox/wire.ts";

const struct = (value: Record<string, structPb.JavaScriptValue>) => structPb.Struct.fromJavaScript(value);
const secret = (value: structPb.JavaScriptValue) => ({ [signatureKey]: signatures.secret, value });

describe("properties on the wire", () => {
  test("plain values survive the way there and back", () => {
    const values = { a: "text", b: 1.5, c: true, d: ["x", { e: [] }], f: {} };
    const { values: decoded, secrets } = decodeProperties(encodeProperties(values));
    expect(decoded).toEqual(values);
    expect(secrets).toEqual([]);
  });

  test("secrets are unwrapped, remembered and wrapped again", () => {
    const wire = struct({ plain: "x", password: secret("hunter2"), list: [{ token: secret("t") }] });
    const decoded = decodeProperties(wire);
    expect(decoded.values).toEqual({ plain: "x", password: "hunter2", list: [{ token: "t" }] });
    expect(decoded.secrets).toHaveLength(2);
    expect(decoded.secrets).toEqual(expect.arrayContaining([["password"], ["list", 0, "token"]]));
    expect(encodeProperties(decoded.values, decoded.secrets).toJavaScript()).toEqual(wire.toJavaScript());
  });

  test("a secret within a secret is one secret", () => {
    expect(decodeProperties(struct({ outer: secret({ inner: secret("x") }) })).secrets).toEqual([["outer"]]);
  });

  test("outputs give their value, or the unknown one, and their secrecy", () => {
    const output = (fields: Record<string, structPb.JavaScriptValue>) => ({
      [signatureKey]: signatures.output,
      ...fields,
    });
    const decoded = decodeProperties(
      struct({
        known: output({ value: "v" }),
        unknown: output({ dependencies: [] }),
        hidden: output({ value: "h", secret: true }),
      }),
    );
    expect(decoded.values).toEqual({ known: "v", unknown: unknownValue, hidden: "h" });
    expect(decoded.secrets).toEqual([["hidden"]]);
  });

  test("a property without a value is left out", () => {
    expect(decodeProperties(struct({ a: null, b: { c: null } })).values).toEqual({ b: {} });
  });

  test("a reference to a resource is its id", () => {
    expect(
      decodeProperties(struct({ role: { [signatureKey]: signatures.resource, urn: "u", id: "r" } })).values,
    ).toEqual({
      role: "r",
    });
  });
});
