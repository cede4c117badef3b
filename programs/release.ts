import Type, { type Static } from "typebox";

const closed = { additionalProperties: false } as const;

/** A model version that was released. What needs a living endpoint or an image exists only once there is one. */
export const Release = Type.Object(
  {
    modelPackageArn: Type.String({
      description: "Approved version in the pipeline's model package group.",
      pattern: "^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\\d{12}:model-package/[A-Za-z0-9-]{1,63}/[1-9]\\d*$",
    }),
    imageDigest: Type.String({
      description: "Inference image in the pipeline's own repository.",
      pattern: "^sha256:[0-9a-f]{64}$",
    }),
    endpoint: Type.Optional(
      Type.Object(
        {
          name: Type.String({ description: "Its name.", pattern: "^[A-Za-z0-9](-?[A-Za-z0-9]){0,62}$" }),
          variantName: Type.String({
            description: "The production variant that serves.",
            pattern: "^[A-Za-z0-9](-?[A-Za-z0-9]){0,62}$",
          }),
        },
        {
          ...closed,
          description: "The living endpoint; only and always of the modes serverless and realtime.",
        },
      ),
    ),
  },
  { ...closed, description: "A released model version" },
);

export type Release = Static<typeof Release>;
