import fastify from "fastify";
import { describe, expect, it } from "vitest";
import type { Principal } from "../../../src/access/principal.ts";
import { AppError } from "../../../src/errors.ts";
import { sendProblem } from "../../../src/http/problem.ts";

const member: Principal = {
  subject: "user:ada",
  label: "ada@example.com",
  platform: new Set(),
  teams: new Map([["research", new Set(["viewer"] as const)]]),
};

/** What the log was told by `answerTo`. */
let lines: { level: number; reason?: string; err?: unknown }[] = [];

async function answerTo(error: unknown, principal: Principal | null = member) {
  lines = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const app = fastify({ logger: { level: "warn", stream } });
  app.decorateRequest("principal", null as unknown as Principal);
  app.addHook("onRequest", async (request) => {
    if (principal) request.principal = principal;
  });
  app.setErrorHandler((failure, request, reply) => sendProblem(failure, request, reply));
  app.get("/", () => {
    throw error;
  });
  const answer = await app.inject("/");
  await app.close();
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

const withCode = (code: string) => Object.assign(new Error(`secret detail of ${code}`), { code });

describe("an error of ours", () => {
  it("is answered with its code, status, message, failing places and the operation in its way", async () => {
    const error = new AppError("stack_busy", "Wait for it", {
      cause: new Error("secret cause"),
      details: {
        operation: { id: "op-1", team: "research" },
        errors: [{ path: "/a", message: "is required" }],
      },
    });
    const { status, headers, body } = await answerTo(error);
    expect(status).toBe(409);
    expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: "urn:aidlc:problem:stack_busy",
      title: "stack busy",
      status: 409,
      code: "stack_busy",
      detail: "Wait for it",
      instance: expect.any(String),
      operation: "op-1",
      errors: [{ path: "/a", message: "is required" }],
    });
  });

  it("names the operation in its way to nobody who may not see its team", async () => {
    const error = new AppError("stack_busy", "Wait for it", {
      details: { operation: { id: "op-1", team: "fraud" } },
    });
    const auditor: Principal = { ...member, platform: new Set(["auditor"] as const), teams: new Map() };
    expect((await answerTo(error, auditor)).body).toHaveProperty("operation", "op-1");
    for (const principal of [member, null])
      expect((await answerTo(error, principal)).body).not.toHaveProperty("operation");
  });

  it("says when to try again where it knows", async () => {
    const error = new AppError("foundation_not_ready", "Wait", { details: { retryAfterSeconds: 7 } });
    expect((await answerTo(error)).headers["retry-after"]).toBe("7");
    expect((await answerTo(new AppError("unavailable", "Down"))).headers["retry-after"]).toBe("5");
    expect((await answerTo(new AppError("not_found", "None"))).headers).not.toHaveProperty("retry-after");
  });

  it("asks for a token only when that was missing", async () => {
    expect((await answerTo(new AppError("unauthenticated", "Who?"))).headers["www-authenticate"]).toContain(
      "Bearer",
    );
    expect((await answerTo(new AppError("not_found", "None"))).headers).not.toHaveProperty(
      "www-authenticate",
    );
  });
});

describe("an error that isn't ours", () => {
  it.each([
    ["an error", new Error("secret detail")],
    [
      "an error with a status of its own above 499",
      Object.assign(new Error("secret detail"), { statusCode: 502 }),
    ],
    ["a violated constraint", withCode("23505")],
    ["text", "secret detail"],
    ["nothing", undefined],
    ["null", null],
  ])("is answered as 500 without detail when it is %s", async (_, error) => {
    const { status, body } = await answerTo(error);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: "internal", status: 500 });
    expect(JSON.stringify(body)).not.toContain("secret");
  });

  it.each([
    ["57P03", 40],
    ["ECONNREFUSED", 40],
    ["53300", 50],
    ["42P01", 50],
  ])("with the code %s is in the log at level %i, with a trace where it is an error", async (code, level) => {
    await answerTo(withCode(code));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level });
    if (level === 40) expect(lines[0]).toMatchObject({ reason: `secret detail of ${code}` });
    expect("err" in (lines[0] ?? {})).toBe(level === 50);
  });

  it.each(["08000", "08006", "57P01", "57P03", "ECONNREFUSED", "ECONNRESET", "53300"])(
    "is answered as 503 with Retry-After when the database says %s",
    async (code) => {
      const { status, headers, body } = await answerTo(withCode(code));
      expect(status).toBe(503);
      expect(headers["retry-after"]).toBe("5");
      expect(body.code).toBe("unavailable");
      expect(JSON.stringify(body)).not.toContain("secret");
    },
  );

  it("is answered as 503 when the connection to the database broke without a word", async () => {
    // What pg throws when the server is gone in the middle of a query: it has no code.
    expect((await answerTo(new Error("Connection terminated unexpectedly"))).status).toBe(503);
  });
});
