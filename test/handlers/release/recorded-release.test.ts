import { describe, expect, it } from "vitest";
import {
  type RecordedRelease,
  type RecordedReleases,
  withoutLast,
  withRelease,
} from "../../../handlers/release/recorded-release.ts";

const release = (number: number): RecordedRelease => ({
  modelPackageArn: `arn:aws:sagemaker:eu-west-1:123456789012:model-package/models/${number}`,
  imageDigest: `sha256:${"0".repeat(64)}`,
  releaseId: `release-${number}`,
  mode: "serverless",
  recordedAt: `2026-03-0${number}T00:00:00.000Z`,
  by: "release",
  made: { configName: `config-${number}` },
});

const numbers = ({ earlier, ...last }: RecordedReleases) =>
  [last, ...earlier].map(({ releaseId }) => Number(releaseId.split("-")[1]));

const recordedAfter = (...released: number[]): RecordedReleases =>
  released
    .map(release)
    .reduce<RecordedReleases | undefined>(
      (before, next) => withRelease(next, before),
      undefined,
    ) as RecordedReleases;

describe("the recorded releases", () => {
  it("begin with the one that serves, and go back in time", () => {
    expect(numbers(recordedAfter(1, 2, 3))).toEqual([3, 2, 1]);
  });

  it("are the last twenty beside it", () => {
    expect(numbers(recordedAfter(...Array.from({ length: 40 }, (_, index) => index + 1)))).toHaveLength(21);
  });

  it("lose what was rolled back, and only that", () => {
    const back = withoutLast(release(2), recordedAfter(1, 2, 3), "alarm", new Date("2026-03-09T00:00:00Z"));
    expect(numbers(back)).toEqual([2, 1]);
    expect(back).toMatchObject({ by: "alarm", recordedAt: "2026-03-09T00:00:00.000Z" });
  });

  it("keep what lies between when somebody goes further back", () => {
    const back = withoutLast(release(1), recordedAfter(1, 2, 3), "person", new Date("2026-03-09T00:00:00Z"));
    expect(numbers(back)).toEqual([1, 2]);
  });
});
