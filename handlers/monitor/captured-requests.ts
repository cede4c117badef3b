import type { S3Client } from "@aws-sdk/client-s3";
import type { DatasetColumn } from "../../programs/spec.ts";
import type { CaptureSource } from "../captures/capture-keys.ts";
import { type Capture, parseCapture } from "../captures/capture-record.ts";
import { capturedLines, captureSources } from "../captures/hourly-objects.ts";
import { type Instance, readInstances } from "../captures/instances.ts";
import { type Prediction, readPredictions } from "../captures/predictions.ts";

/** A request, and what the model said of each of its instances. */
export interface CapturedRequest {
  readonly inferenceId: string;
  readonly variant: string;
  readonly modelVersion?: number;
  readonly instances: readonly Instance[];
  /** One for each instance; absent where the model failed or its answer can't be read. */
  readonly predictions?: readonly Prediction[];
}

/** What was found besides requests that could be read. */
export interface ReadingCounts {
  requests: number;
  instances: number;
  /** Lines that are no captures, and captures whose request can't be read. */
  unreadable: number;
  /** Requests without an answer that can be read. */
  unanswered: number;
}

interface CapturePlace {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly columns: readonly DatasetColumn[];
  readonly target: string | undefined;
}

/** Reads captures hour by hour, each as a stream. */
export class CaptureReader {
  readonly #place: CapturePlace;
  #sources: Promise<readonly CaptureSource[]> | undefined;
  readonly counts: ReadingCounts = { requests: 0, instances: 0, unreadable: 0, unanswered: 0 };

  constructor(place: CapturePlace) {
    this.#place = place;
  }

  async *hour(at: Date): AsyncGenerator<CapturedRequest> {
    const { s3, bucket } = this.#place;
    this.#sources ??= captureSources(s3, bucket);
    for (const source of await this.#sources) {
      for await (const { text } of capturedLines(s3, bucket, source, at)) {
        const capture = parseCapture(text);
        const request = capture && this.#request(capture, source);
        if (request === undefined) this.counts.unreadable += 1;
        else yield request;
      }
    }
  }

  #request(capture: Capture, { variant }: CaptureSource): CapturedRequest | undefined {
    const { columns, target } = this.#place;
    const instances = readInstances(capture.input, columns, target);
    if (instances === undefined) return undefined;
    const predictions = capture.output && readPredictions(capture.output, instances.length);
    this.counts.requests += 1;
    this.counts.instances += instances.length;
    if (predictions === undefined) this.counts.unanswered += 1;
    return {
      inferenceId: capture.inferenceId ?? capture.eventId,
      variant,
      ...(capture.modelVersion !== undefined && { modelVersion: capture.modelVersion }),
      instances,
      ...(predictions && { predictions }),
    };
  }
}
