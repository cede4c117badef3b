import { credentialProblems } from "../../programs/spec/credential-rules.ts";
import { PipelineSpec, type PipelineSpec as Spec, specProblems } from "../../programs/spec.ts";
import { invalid, parser } from "../http/validation.ts";

const parseShape = parser(PipelineSpec, "invalid_spec");

/**
 * A spec with its defaults filled; throws `invalid_spec` with the path of every mistake, of form or of meaning. A credential is
 * told alone, for a message about anything else might repeat it.
 */
export function parseSpec(value: unknown): Spec {
  const credentials = [...credentialProblems(value)];
  if (credentials.length > 0) throw invalid("invalid_spec", credentials);
  const spec = parseShape(value) as Spec;
  const problems = specProblems(spec);
  if (problems.length > 0) throw invalid("invalid_spec", problems);
  return spec;
}

/** RFC 7386: null removes a field, an object is merged, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  // A map, because a key such as __proto__ means something else on an object.
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
