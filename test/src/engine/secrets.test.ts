import { expect, it } from "vitest";
import { parseSpec } from "../../../programs/spec.ts";
import type { RunRequest } from "../../../src/engine/protocol.ts";
import { secretsOf } from "../../../src/engine/secrets.ts";
import { foundationOutputs, validSpec } from "../../support/builders.ts";

const webhook = "https://hooks.example.com/services/T0/B0/planted";
const request: RunRequest = {
  operationId: "1",
  action: "update",
  stack: { project: "aidlc-pipeline", name: "research.penguins", exists: true },
  program: {
    name: "pipeline",
    input: {
      team: "research",
      pipeline: "penguins",
      spec: parseSpec(validSpec((spec) => Object.assign(spec, { alerts: { webhooks: [webhook] } }))),
      account: { accountId: "111122223333", region: "eu-central-1" },
      foundation: foundationOutputs(),
    },
  },
  data: "retain",
  policies: { exceptions: [], enforced: [] },
  passphrase: "the stack's passphrase",
  backendUrl: "postgres://aidlc:p%40ss-word@db/states",
  credentials: {
    provider: { url: "http://127.0.0.1:1/a", token: "t1" },
    state: { url: "http://127.0.0.1:1/b", token: "t2" },
  },
  attachedProviderPort: undefined,
};

it("an engine's texts are searched for every secret that a request brings: passphrase, tokens, password, webhooks", () => {
  expect(secretsOf(request).sort()).toEqual(
    ["the stack's passphrase", "t1", "t2", "p%40ss-word", "p@ss-word", webhook].sort(),
  );
});

it("a request without sessions and with states in a folder brings its passphrase alone", () => {
  const program = { name: "foundation", input: { account: request.program.input.account } } as const;
  const plain = { ...request, program, credentials: {}, backendUrl: "file:///var/lib/aidlc/state" };
  expect(secretsOf(plain)).toEqual(["the stack's passphrase"]);
});
