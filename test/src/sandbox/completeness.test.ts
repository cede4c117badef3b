import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nameInput, type ResourceType, Schema, type ShapeSchema } from "../../../src/sandbox/schema.ts";
import { hasInput } from "./sample-inputs.ts";

const schema = new Schema();
const facts: { global: { freeNames: string } } = JSON.parse(
  readFileSync(new URL("../../../src/sandbox/schema/aws-facts.json", import.meta.url), "utf8"),
);
const freeNames = new Set(
  facts.global.freeNames
    .split(":")[1]!
    .split(",")
    .map((name) => name.trim()),
);

const looksLikeReference =
  /(Arn|Arns|ArnLists|Id|Ids|Name|Names|Role|Bucket|Subnets|SecurityGroups|KmsKey|Queue|Topic)$|^(arn|bucket|buckets|role|topic|queue|rule|cluster|function|deployment|subnets|securityGroups|workgroup|database|repository|location|layers|destination|endpoint|target|kmsKey|alarmActions|okActions|insufficientDataActions|serviceRole|encryptionKey|taskDefinition|vpc|authorizer|uri|executionRole|stateMachine|logGroup)$/;

/** Inputs of a type, at any depth, that look as if they named another resource. */
function candidates(type: ResourceType): string[] {
  const found: string[] = [];
  const walk = (shape: ShapeSchema, path: readonly string[], inside: readonly string[]): void => {
    for (const [name, { type: reference }] of shape) {
      const element = reference.kind === "list" ? reference.element : reference;
      if (element.kind === "object") {
        if (!inside.includes(element.name))
          walk(schema.object(element.name), [...path, name], [...inside, element.name]);
      } else if (element.kind === "string" && looksLikeReference.test(name) && !freeNames.has(name)) {
        found.push([...path, name].join("."));
      }
    }
  };
  walk(type.inputs, [], []);
  return found;
}

describe("every type that the sandbox knows", () => {
  const types = schema.tokens().map((token) => schema.resource(token)!);

  test.each(types.map((type) => [type.token, type] as const))(
    "%s has each ARN, id and name among its inputs checked or declared free text",
    (_, type) => {
      const { references = {}, freeText = [] } = type.facts;
      const own = nameInput(type);
      const unexplained = candidates(type).filter(
        (path) => !(path in references) && !freeText.includes(path) && path !== own,
      );
      expect(unexplained).toEqual([]);
    },
  );

  test("has a typical creation time", () => {
    const without = types.filter(({ facts: { createSecondsTypical } }) => createSecondsTypical === undefined);
    expect(without.map(({ token }) => token)).toEqual([]);
  });

  test("declares as free text, as unverified and as of any region what it has", () => {
    const wrong = types.flatMap((type) => {
      const { freeText = [], unverified = [], crossRegion = [], references = {} } = type.facts;
      return [...freeText, ...unverified, ...crossRegion, ...Object.keys(references)]
        .filter((path) => !hasInput(schema, type, path))
        .map((path) => `${type.token} ${path}`);
    });
    expect(wrong).toEqual([]);
  });
});
