import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { openLog } from "../../src/log.ts";

const passphrase = "correct-horse-battery";

function written(write: (log: ReturnType<typeof openLog>) => void): string[] {
  const lines: string[] = [];
  const destination = new Writable({
    write: (line, _encoding, done) => {
      lines.push(String(line));
      done();
    },
  });
  write(openLog({ level: "info", secrets: [passphrase] }, destination));
  return lines;
}

describe("the log", () => {
  it("holds no secret of the service's, wherever one stands", () => {
    const error = new Error(`command failed: --passphrase ${passphrase}`, {
      cause: new Error(`caused by ${passphrase}`),
    });
    const [line = ""] = written((log) =>
      log.error({ err: error, deep: { text: passphrase } }, `msg ${passphrase}`),
    );
    expect(line).not.toContain(passphrase);
    expect(JSON.parse(line)).toMatchObject({ msg: "msg [secret]", deep: { text: "[secret]" } });
  });

  it("holds no credential of anybody's, in whatever an error quotes, and stays one object a line", () => {
    const text = [
      "postgres://aidlc:pa55-word@db/x",
      "AKIAIOSFODNN7EXAMPLE",
      "authorization: Bearer abcdef.123456-7890",
      "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
      '{"secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}',
    ].join("\n");
    const [line = "", ...others] = written((log) => log.warn({ err: new Error(text) }, "failed"));
    expect(others).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({ msg: "failed", err: { type: "Error" } });
    for (const secret of ["pa55-word", "AKIAIOSFODNN7EXAMPLE", "abcdef.123456", "MIIE", "wJalrXUtnFEMI"])
      expect(line).not.toContain(secret);
  });

  it("leaves out fields that are credentials by name", () => {
    const req = { headers: { authorization: "short" } };
    const [line = ""] = written((log) =>
      log.info({ req, session: { secretAccessKey: "s", sessionToken: "t" } }, "x"),
    );
    expect(JSON.parse(line)).toMatchObject({
      req: { headers: { authorization: "[Redacted]" } },
      session: { secretAccessKey: "[Redacted]", sessionToken: "[Redacted]" },
    });
  });
});
