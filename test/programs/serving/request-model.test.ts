import { describe, expect, it } from "vitest";
import { requestModel } from "../../../programs/serving/request-model.ts";
import { aSpec } from "../support/inputs.ts";

const model = requestModel(
  aSpec({
    dataset: {
      schema: [
        { name: "Body Mass (g)", type: "integer", nullable: true, min: 2700, max: 6300 },
        { name: "seen", type: "timestamp", nullable: false },
        { name: "Sex", type: "string", nullable: false, enum: ["FEMALE", "MALE"] },
      ],
    },
  }).dataset,
);

describe("the model of a request", () => {
  it("has a property of the right type for every column, by its exact name", () => {
    expect(model.properties.instances.items.properties).toEqual({
      "Body Mass (g)": { type: ["integer", "null"] },
      seen: { type: "string" },
      Sex: { type: "string" },
    });
  });

  it("refuses unknown columns, empty rows and requests without rows", () => {
    expect(model.required).toEqual(["instances"]);
    expect(model.additionalProperties).toBe(false);
    expect(model.properties.instances).toMatchObject({
      minItems: 1,
      items: { additionalProperties: false, minProperties: 1 },
    });
  });

  it("leaves ranges and listed values to the gate, which counts who leaves them", () => {
    expect(JSON.stringify(model)).not.toMatch(/"(minimum|maximum|enum)"/);
  });
});
