import { readPredictions } from "../captures/predictions.ts";
import { ReleaseFailed } from "./failures.ts";
import type { Sample } from "./samples.ts";
import type { Answer, Request } from "./serving.ts";

/** Enough to see that a version that passed all of them elsewhere answers here as well. */
const SMOKE_SAMPLES = 5;

/** Integration tests ask everything, smoke tests the first few. */
export const samplesOf = (stage: "dev" | "staging", samples: readonly Sample[]): readonly Sample[] =>
  stage === "dev" ? samples : samples.slice(0, SMOKE_SAMPLES);

/** As the gate would ask. */
export function requestOf({ request, contentType = "application/json", accept }: Sample): Request {
  return {
    contentType,
    ...(accept !== undefined && { accept }),
    body: typeof request === "string" ? request : JSON.stringify(request),
  };
}

/** What is wrong with an answer, naming nothing of its content; undefined for nothing. */
export function problemOf(sample: Sample, { contentType, body: text }: Answer): string | undefined {
  const count = instancesOf(sample);
  const predictions = readPredictions({ contentType, text }, count);
  if (predictions === undefined) return `is no list of ${count} predictions`;
  const { expected, tolerance = 0 } = sample;
  const wrong =
    expected?.findIndex((value, index) => !isNear(predictions[index]?.value, value, tolerance)) ?? -1;
  return wrong === -1 ? undefined : `is not what was expected of instance ${wrong + 1}`;
}

function instancesOf({ request, expected }: Sample): number {
  if (typeof request === "string") return request.trimEnd().split("\n").length;
  const { instances } = (request ?? {}) as { readonly instances?: unknown };
  return Array.isArray(instances) ? instances.length : (expected?.length ?? 1);
}

function isNear(
  answered: string | number | undefined,
  expected: string | number,
  tolerance: number,
): boolean {
  if (typeof answered === "number" && typeof expected === "number") {
    return Math.abs(answered - expected) <= tolerance;
  }
  return String(answered) === String(expected);
}

/**
 * Asks for every sample and judges the answers: each well-formed and as expected, half of them within the limit. The first answer's
 * time doesn't count where there are more, since it brings the model up. Throws `TestsFailed`.
 */
export async function tryVersion(
  samples: readonly Sample[],
  ask: (request: Request) => Promise<Answer | undefined>,
  limitMs: number,
): Promise<void> {
  const times: number[] = [];
  for (const [index, sample] of samples.entries()) {
    const answer = await ask(requestOf(sample));
    if (answer === undefined) return;
    const problem = problemOf(sample, answer);
    if (problem !== undefined) {
      throw new ReleaseFailed(
        "TestsFailed",
        `The answer to sample ${index + 1} of ${samples.length} ${problem}`,
      );
    }
    times.push(answer.ms);
  }
  const warm = (times.length > 1 ? times.slice(1) : times).toSorted((one, other) => one - other);
  const median = warm[Math.floor(warm.length / 2)] ?? 0;
  if (median > limitMs) {
    throw new ReleaseFailed(
      "TestsFailed",
      `Half of the answers take ${Math.round(median)} ms or more, over ${limitMs} ms`,
    );
  }
}
