import { expect, it } from "vitest";
import { parseImage } from "../../../handlers/models/images.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

it.each([
  [`${REGISTRY}/aidlc/a/b/inference:1`, { repository: "aidlc/a/b/inference", tag: "1" }],
  [`${REGISTRY}/aidlc/a/b/inference@${DIGEST}`, { repository: "aidlc/a/b/inference", digest: DIGEST }],
  [`${REGISTRY}/models:1.7-1@${DIGEST}`, { repository: "models", tag: "1.7-1", digest: DIGEST }],
  [`${REGISTRY}/models`, { repository: "models" }],
])("reads the image %s", (image, parts) => {
  expect(parseImage(image)).toEqual({ registryId: "123456789012", ...parts });
});

it.each(["library/python:3", "https://example.com/a:1", `${REGISTRY}/`, `${REGISTRY}/a@sha256:00`])(
  "takes %s for no image in ECR",
  (image) => {
    expect(parseImage(image)).toBeUndefined();
  },
);
