import Type, { type Static } from "typebox";
import { Value } from "typebox/value";

/** What the evaluation step writes: metrics by name, and what it found of bias where it looked. Further fields are left alone. */
export const EvaluationReport = Type.Object({
  metrics: Type.Record(Type.String(), Type.Object({ value: Type.Number() })),
  /** By column: the largest difference of the quality metric between two of its values. */
  bias: Type.Optional(Type.Record(Type.String(), Type.Object({ gap: Type.Number({ minimum: 0 }) }))),
});

export type EvaluationReport = Static<typeof EvaluationReport>;

/** The report in a text, or undefined where it is none. */
export function parseEvaluationReport(text: string): EvaluationReport | undefined {
  try {
    const report: unknown = JSON.parse(text);
    return Value.Check(EvaluationReport, report) ? report : undefined;
  } catch {
    return undefined;
  }
}
