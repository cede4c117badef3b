import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { masked, redactor, redactValue } from "../../../src/engine/redaction.ts";

const signature = "4dabf18193072939515e22adb298388d";
const secret = { [signature]: "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
const nothing = redactor([]);
const passphrase = "correct-horse-battery";

describe("redactor", () => {
  it("masks a known secret wherever it stands, as often as it does", () => {
    const redact = redactor([passphrase]);
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 5 }), (parts) => {
        expect(redact(parts.join(passphrase))).not.toContain(passphrase);
      }),
    );
  });

  it("takes a known secret literally, not as a pattern", () => {
    expect(redactor(["a.c*d+e(f"])("a.c*d+e(f abcdef")).toBe(`${masked} abcdef`);
    expect(redactor(["12345678"])("$& 12345678")).toBe(`$& ${masked}`);
  });

  it("doesn't mask ordinary words for a secret of a few letters", () => {
    expect(redactor(["a"])("a cat")).toBe("a cat");
  });

  it.each(["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])("masks the access key id %s", (key) => {
    expect(nothing(`credentials ${key}, again ${key}.`)).toBe(`credentials ${masked}, again ${masked}.`);
  });

  it("masks the password in an address and leaves the rest of it readable", () => {
    expect(nothing("postgres://aidlc:p%40ss:word@db.internal:5432/x refused")).toBe(
      `postgres://aidlc:${masked}@db.internal:5432/x refused`,
    );
  });

  it("masks a private key over all its lines", () => {
    const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----";
    expect(nothing(`a ${key} b ${key} c`)).toBe(`a ${masked} b ${masked} c`);
  });

  it("leaves ordinary text as it is", () => {
    for (const text of [
      "arn:aws:s3:::aidlc-raw-ml-churn-abcdefgh",
      "https://sns.eu-central-1.amazonaws.com/?Action=Publish",
      "mail ada@example.com at 12:30",
      "https://example.com/path:a@b",
      "AKIA is a prefix",
      '{"uri":["s3://raw-bucket","a",{"Get":"X"}],"owner":"ada@example.com"}',
    ]) {
      expect(nothing(text)).toBe(text);
    }
  });

  it("masks the same text again on every call", () => {
    const results = [1, 2, 3].map(() => nothing("AKIAIOSFODNN7EXAMPLE"));
    expect(results).toEqual([masked, masked, masked]);
  });
});

describe("redactValue", () => {
  it("masks what Pulumi marks as secret, at any depth", () => {
    expect(redactValue({ a: [{ b: secret }], c: secret }, nothing)).toEqual({
      a: [{ b: masked }],
      c: masked,
    });
  });

  it("leaves no trace of a secret's content, in whatever structure it stands", () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.constant(secret),
      fc.constant(passphrase),
    );
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => {
        const text = JSON.stringify(redactValue(value, redactor([passphrase])));
        expect(text).not.toContain("v1:abc");
        expect(text).not.toContain(passphrase);
      }),
    );
  });

  it("keeps a value without secrets equal, key by key", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(redactValue(value, (text) => text)).toEqual(value);
      }),
    );
  });

  it("takes an asset for what it is: not everything signed is a secret", () => {
    const asset = { [signature]: "c44067f5952c0a294b673a41bacd8c17", hash: "abc", text: "hello" };
    expect(redactValue(asset, nothing)).toEqual(asset);
  });

  it("masks credentials inside text values, also where nobody declared them secret", () => {
    expect(redactValue({ url: "mysql://root:hunter22@db/x" }, nothing)).toEqual({
      url: `mysql://root:${masked}@db/x`,
    });
  });
});
