import Type from "typebox";

export const closed = { additionalProperties: false } as const;

/** An omitted section becomes the whole default object: the empty object here is filled from its fields. */
export const closedWithDefault = { additionalProperties: false, default: {} } as const;

/** An image in a private repository of ECR: SageMaker pulls no others. */
export const ecrImage = (description: string) =>
  Type.String({
    description,
    pattern:
      "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9]+([._/-][a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$",
  });

export const fraction = (description: string, value: number) =>
  Type.Number({ description, minimum: 0, maximum: 1, default: value });
