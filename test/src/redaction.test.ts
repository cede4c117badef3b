import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CREDENTIAL_PATTERNS } from "../../programs/credential-patterns.ts";
import { newKey } from "../../src/access/key-format.ts";
import { masked, passwordsIn, redactor, redactText, redactValue } from "../../src/redaction.ts";

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

/** A whole credential of each kind, and what of it may stay readable. */
const samples: Readonly<Record<string, readonly [text: string, left?: string]>> = {
  "an AWS access key id": ["AKIAIOSFODNN7EXAMPLE"],
  "an AWS session token": [`IQoJb3JpZ2luX2Vj${"aB3/".repeat(80)}==`],
  "an AWS secret access key": [
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    `AWS_SECRET_ACCESS_KEY=${masked}`,
  ],
  "a private key": ["-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nabc=\n-----END EC PRIVATE KEY-----"],
  "a GitHub token": [`ghp_${"aB3".repeat(14)}`],
  "a GitLab token": [`glpat-${"aB3_".repeat(7)}`],
  "a Slack token": ["xoxb-123456789012-abcDEF"],
  "a Hugging Face token": [`hf_${"aB3".repeat(12)}`],
  "an npm token": [`npm_${"aB3".repeat(13)}`],
  "a Google API key": [`AIza${"aB3_".repeat(9)}`],
  "a Stripe key": [`sk_live_${"aB3".repeat(9)}`],
  "a key of an AI service": [`sk-proj-${"aB3_".repeat(12)}`],
  "an API key of this service": [newKey().text],
  "a JSON Web Token": ["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl-of_it"],
  "a password in an address": ["amqp://ada:pa55-word@queue/x", `amqp://ada:${masked}@queue/x`],
};

it("passwordsIn finds what an address holds, in both spellings, and takes any text for one", () => {
  expect(passwordsIn("postgres://ada:p%40ss@db/x")).toEqual(["p%40ss", "p@ss"]);
  expect(passwordsIn("postgres://ada:50%-off@db/x")).toEqual(["50%-off"]);
  for (const text of ["", "no address", "postgres://db/x", "file:///x"])
    expect(passwordsIn(text)).toEqual([]);
});

describe("the second redactor", () => {
  it.each(CREDENTIAL_PATTERNS.map(([what]) => what))(
    "masks %s completely, in a text and in a line of JSON",
    (what) => {
      const [text, left = masked] = samples[what] ?? [];
      expect(text).toBeDefined();
      expect(redactText(`before ${text} after`)).toBe(`before ${left} after`);
      const line = redactText(JSON.stringify({ msg: JSON.stringify({ inner: `before\n${text}` }) }));
      expect(JSON.parse(JSON.parse(line).msg).inner).toBe(`before\n${left}`);
    },
  );

  it.each([
    ["authorization: Bearer abcDEF-123456.7890~x", `authorization: Bearer ${masked}`],
    ["Authorization: Basic YWRhOnBhNTV3b3JkMTIz", `Authorization: Basic ${masked}`],
    ["password=Xk29dkf0Sldk20fkDls0&x=1", `password=${masked}&x=1`],
    ['{\\"clientSecret\\": \\"Xk29dkf0Sldk20fkDls0\\"}', `{\\"clientSecret\\": \\"${masked}\\"}`],
  ])("masks what follows the name of a credential: %s", (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it("masks a long disorderly value under the name of a credential, and no other", () => {
    const value = "Xk29dkf0Sldk20fkDls0";
    const fields = {
      apiKey: value,
      db_password: value,
      deep: [{ secretAccessKey: value }],
      kmsKeyId: value,
      name: value,
      authorization: "AWS_IAM",
      secret: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:aidlc/research/penguins-fMLf0P",
    };
    expect(redactValue(fields, redactText)).toEqual({
      ...fields,
      apiKey: masked,
      db_password: masked,
      deep: [{ secretAccessKey: masked }],
    });
  });

  it("leaves names and ARNs of AWS as they are", () => {
    for (const text of [
      "aidlc_research_penguins_features",
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:aidlc/research/penguins-fMLf0P",
      "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012",
      "the role's bearer authentication is basic understanding",
    ]) {
      expect(redactText(text)).toBe(text);
    }
  });

  it("takes time in proportion to the text, whoever made it", () => {
    const size = 200_000;
    const hostile = [
      "eyJ-",
      "-----BEGIN PRIVATE KEY-----",
      "bearer ",
      "token ",
      "://a:",
      "aidlc_",
      "password=\\",
      "IQoJb3JpZ2lu+",
    ];
    for (const part of [...hostile, " ", ":", "a"]) {
      const startMs = performance.now();
      redactText(part.repeat(size / part.length));
      expect(performance.now() - startMs).toBeLessThan(2_000);
    }
  });
});
