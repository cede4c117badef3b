import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import { Profile } from "../dataset/profile.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";

/**
 * What a model version answered in the first window with enough answers, at `monitoring/drift/baselines/<version>.json`: what it
 * answers later is compared with that. At registration nobody has asked it yet but its own evaluation.
 */
export const PredictionBaseline = Type.Object({
  modelPackageArn: Type.String(),
  from: Type.String(),
  to: Type.String(),
  profile: Profile,
  /** Means of absolute attributions by column, where the model reports them. */
  attributions: Type.Optional(Type.Record(Type.String(), Type.Number())),
});
export type PredictionBaseline = Static<typeof PredictionBaseline>;

export interface PredictionBaselines {
  read(version: number): Promise<PredictionBaseline | undefined>;
  /** The first that is written stays. */
  write(version: number, baseline: PredictionBaseline): Promise<void>;
}

export function createPredictionBaselines(s3: S3Client, bucket: string): PredictionBaselines {
  const place = (version: number) => ({ bucket, key: `${PREFIX.monitoring}drift/baselines/${version}.json` });
  return {
    read: async (version) => {
      const found = await readDocument(s3, place(version));
      return found !== undefined && Value.Check(PredictionBaseline, found.value) ? found.value : undefined;
    },
    write: async (version, baseline) => {
      try {
        await writeDocument(s3, place(version), baseline, { ifAbsent: true });
      } catch (error) {
        if (!(error instanceof WriteConflict)) throw error;
      }
    },
  };
}
