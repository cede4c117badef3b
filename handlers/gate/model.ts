import type { CaptureSource } from "../captures/capture-keys.ts";
import type { Instance } from "./input-schema.ts";

export interface ModelQuestion {
  readonly inferenceId: string;
  /** The rows as they were checked. */
  readonly instances: readonly Instance[];
  /** The same as `{"instances": […]}`. */
  readonly body: string;
  readonly timeoutMs: number;
}

export interface ModelAnswer {
  /** Who answered, as captures are filed. */
  readonly source: CaptureSource;
  readonly contentType: string;
  readonly text: string;
  /** Number of the model package, where the model's program or the release says it. */
  readonly modelVersion?: number;
}

/** What runs the model. */
export interface Model {
  /** Throws `GateProblem` where there is no answer. */
  ask(question: ModelQuestion): Promise<ModelAnswer>;
  /** Throws `GateProblem` where the model would not answer. Asks it nothing. */
  check(timeoutMs: number): Promise<void>;
}

/** What a program may say besides its answer: SageMaker's header of custom attributes, `model-version=3`, among others. */
export function versionIn(attributes: string | undefined): { modelVersion?: number } {
  const [, number] = /(?:^|[\s,;])model-version=(\d{1,9})(?:$|[\s,;])/.exec(attributes ?? "") ?? [];
  return number === undefined ? {} : { modelVersion: Number(number) };
}
