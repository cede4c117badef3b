import Type from "typebox";

export const closed = { additionalProperties: false } as const;

/** An omitted section becomes the whole default object: the empty object here is filled from its fields. */
export const closedWithDefault = { additionalProperties: false, default: {} } as const;

export const fraction = (description: string, value: number) =>
  Type.Number({ description, minimum: 0, maximum: 1, default: value });
