import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spare } from "../../../src/drift/sparing.ts";
import type { PropertyChange, SpareRequest, Step } from "../../../src/engine/protocol.ts";

const key = "aws:kms/key:Key";
const alias = "aws:lambda/alias:Alias";
const bucket = "aws:s3/bucket:Bucket";
const versioning = "aws:s3/bucketVersioning:BucketVersioning";
const nothing: SpareRequest = { rules: [], accepted: [] };

const change = (path: string): PropertyChange => ({ path, kind: "update", before: "a", after: "b" });
const step = (type: string, name: string, ...paths: string[]): Step => ({
  action: paths.length === 0 ? "delete" : "update",
  urn: `urn:${type}::${name}`,
  type,
  name,
  changes: paths.map(change),
});

describe("a reconciliation", () => {
  it("brings back everything that nobody holds", () => {
    expect(
      spare([step(key, "data", "enableKeyRotation"), step(versioning, "raw", "status")], nothing),
    ).toEqual({
      exclude: [],
      excludeDependents: false,
      ignore: new Map(),
      kept: [],
      losses: [],
    });
  });

  it("never touches what a release promoted", () => {
    const { exclude, kept } = spare(
      [step(alias, "live", "functionVersion"), step(key, "data", "policy")],
      nothing,
    );
    expect(exclude).toEqual([`urn:${alias}::live`]);
    expect(kept.map(({ path }) => path)).toEqual(["functionVersion"]);
  });

  it("leaves out a resource of which everything is accepted or ignored", () => {
    const steps = [step(versioning, "raw", "status"), step(key, "data", "tags.who")];
    const accepted = [{ urn: `urn:${versioning}::raw`, path: "status" }];
    const rules = [{ resource: "data", path: "tags.*" }];
    expect(spare(steps, { rules, accepted }).exclude).toEqual([`urn:${versioning}::raw`, `urn:${key}::data`]);
  });

  it("brings back the other properties of a resource of which some are held", () => {
    const steps = [step(key, "data", "enableKeyRotation", 'tags["aidlc:who"]', "tagsAll.x")];
    const spared = spare(steps, { rules: [{ resource: "*", path: "tags*" }], accepted: [] });
    expect(spared.exclude).toEqual([]);
    expect([...spared.ignore]).toEqual([[`${key}::data`, ["tags"]]]);
    expect(spared.kept.map(({ path }) => path)).toEqual(['tags["aidlc:who"]', "tagsAll.x"]);
  });

  it("brings back nothing but what it is for, where it is for one resource", () => {
    const steps = [step(versioning, "raw", "status"), step(key, "data", "policy")];
    const { exclude } = spare(steps, { ...nothing, only: [`urn:${key}::data`] });
    expect(exclude).toEqual([`urn:${versioning}::raw`]);
  });

  it("tells the losses of data that it would cover up, though a rule may ignore everything", () => {
    const rules = [{ resource: "*", path: "*" }];
    const { losses, exclude } = spare([step(bucket, "raw"), step(versioning, "raw")], {
      rules,
      accepted: [],
    });
    expect(losses.map(({ type }) => type)).toEqual([bucket]);
    expect(exclude).toEqual([`urn:${versioning}::raw`]);
  });

  it("leaves a loss that somebody accepted alone, with all that depends on it", () => {
    const accepted = [{ urn: `urn:${bucket}::raw`, path: "" }];
    expect(spare([step(bucket, "raw")], { rules: [], accepted })).toMatchObject({
      exclude: [`urn:${bucket}::raw`],
      excludeDependents: true,
      losses: [],
    });
  });

  it("touches no drift that it keeps, and each of the others", () => {
    const paths = fc.uniqueArray(
      fc.constantFrom("tags.a", "tags.b", "policy", "enableKeyRotation", "isEnabled"),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(paths, paths, (drifted, held) => {
        const own = step(key, "data", ...drifted);
        const accepted = held.map((path) => ({ urn: own.urn, path }));
        const { exclude, ignore, kept } = spare([own], { rules: [], accepted });
        const left = ignore.get(`${key}::data`) ?? [];
        for (const path of drifted) {
          const untouched = exclude.length > 0 || left.includes(path.split(".")[0] ?? "");
          if (held.includes(path)) expect(untouched).toBe(true);
          expect(kept.some((drift) => drift.path === path)).toBe(untouched);
        }
      }),
    );
  });
});
