import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { blockers } from "../../../src/sandbox/blockers.ts";
import { assertDeletable } from "../../../src/sandbox/deletions.ts";
import { policySizeFailures, sizeLimits } from "../../../src/sandbox/policies.ts";
import { missingTrust, trusted } from "../../../src/sandbox/role-trust.ts";
import { type ResourceType, Schema } from "../../../src/sandbox/schema.ts";
import { ResourceStore } from "../../../src/sandbox/store.ts";
import type { PropertyMap, PropertyValue } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { hasInput } from "./sample-inputs.ts";

const schema = new Schema();
const account = "111122223333";
const region = "eu-central-1";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("truncate sandbox.resources");
});

function typeOf(kind: string): ResourceType {
  const token = schema.tokens().find((one) => one.split(":")[1] === kind);
  const type = token === undefined ? undefined : schema.resource(token);
  if (!type) throw new Error(`no type ${kind}`);
  return type;
}

function nested(path: string, value: PropertyValue): PropertyMap {
  return path
    .split(".")
    .reverse()
    .reduce<PropertyValue>((inner, step) => ({ [step]: inner }), value) as PropertyMap;
}

async function store(type: string, id: string, outputs: PropertyMap, contents = 0): Promise<void> {
  await database.pool.query(
    `insert into sandbox.resources (type, account, region, identity, aws_id, arn, name, inputs, outputs, secrets, contents)
     values ($1, $2, $3, $4, $4, $5, $4, '{}', $6, '[]', $7)`,
    [type, account, region, id, `arn:${id}`, JSON.stringify(outputs), contents],
  );
}

describe("every resource that can be in use", () => {
  const dependents = Object.entries(blockers).flatMap(([kind, blocker]) =>
    (blocker.dependents ?? []).map(([type, property]) => [kind, type, property, blocker.code] as const),
  );

  test.each(dependents)("%s is not deleted while a %s names it as %s", async (kind, type, property, code) => {
    const { token } = typeOf(kind);
    expect(hasInput(schema, schema.resource(type)!, property)).toBe(true);
    await store(token, "used", {});
    await assertDeletable(database.pool, token, "used");
    await store(type, "user", nested(property, "used"));
    await expect(assertDeletable(database.pool, token, "used")).rejects.toMatchObject({ code });
  });

  const others = Object.entries(blockers).filter(([, one]) => one.byContents);
  test.each(others)("%s is not deleted while it holds something", async (kind, { code, unless }) => {
    const { token } = typeOf(kind);
    await store(token, "full", {}, 1);
    await expect(assertDeletable(database.pool, token, "full")).rejects.toMatchObject({ code });
    if (unless === undefined) return;
    await store(token, "emptied", { [unless]: true }, 1);
    await assertDeletable(database.pool, token, "emptied");
  });
});

describe("every role that AWS assumes at once", () => {
  const roles = Object.entries(trusted).flatMap(([kind, properties]) =>
    Object.entries(properties).map(([property, service]) => [kind, property, service] as const),
  );

  test.each(roles)("%s needs a role as %s that trusts %s", async (kind, property, service) => {
    const type = typeOf(kind);
    expect(hasInput(schema, type, property)).toBe(true);
    const trust = (principal: string) => ({ assumeRolePolicy: JSON.stringify({ Principal: principal }) });
    await store("aws:iam/role:Role", "wrong", trust("other.amazonaws.com"));
    await store("aws:iam/role:Role", "right", trust(service));
    const error = (role: string) =>
      missingTrust(kind, {
        type,
        inputs: nested(property, `arn:${role}`),
        account,
        region,
        isNew: true,
        store: new ResourceStore(database.pool),
      });
    expect((await error("wrong"))?.message).toContain(`cannot be assumed by ${service}`);
    expect(await error("right")).toBeUndefined();
  });
});

describe("every policy with a quota", () => {
  test.each(Object.entries(sizeLimits))("%s: %j", (kind, [property, limit]) => {
    const { token } = typeOf(kind);
    expect(hasInput(schema, typeOf(kind), property)).toBe(true);
    expect(policySizeFailures(token, { [property]: " x".repeat(limit) })).toEqual([]);
    expect(policySizeFailures(token, { [property]: "x".repeat(limit + 1) })).toMatchObject([
      { message: `LimitExceeded: has ${limit + 1} characters, AWS allows ${limit}: shorten or split it` },
    ]);
  });
});
