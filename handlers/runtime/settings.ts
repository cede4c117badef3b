import { GetParametersByPathCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { awsClient } from "./aws.ts";
import { ConfigurationError, type Environment, variables } from "./environment.ts";

/** Settings that are older are asked for again: an update of the pipeline takes effect without a new release of its code. */
const MAX_AGE_MS = 5 * 60_000;

/** Documents of a pipeline, as `programs/configuration.ts` writes them. */
export interface Settings {
  /**
   * The document of this name, such as `dataset/schema`. Throws `ConfigurationError` when it is missing, no JSON or not
   * what the schema says.
   */
  document<T extends TSchema>(name: string, schema: T): Promise<Static<T>>;
  /** The same, or undefined where the pipeline has no such document. */
  optionalDocument<T extends TSchema>(name: string, schema: T): Promise<Static<T> | undefined>;
}

/** Reads all parameters below the pipeline's prefix at once, at the first use and then every five minutes. */
export function createSettings(env: Environment, now: () => number = Date.now): Settings {
  const { AIDLC_PARAMETER_PREFIX: prefix } = variables(env, ["AIDLC_PARAMETER_PREFIX"]);
  const ssm = awsClient(SSMClient, env);
  let held:
    | { readonly parameters: Promise<ReadonlyMap<string, string>>; readonly untilMs: number }
    | undefined;

  const parameters = (): Promise<ReadonlyMap<string, string>> => {
    if (held !== undefined && now() < held.untilMs) return held.parameters;
    const reading = readParameters(ssm, prefix);
    held = { parameters: reading, untilMs: now() + MAX_AGE_MS };
    // A failed read is no settings: the next use asks again.
    reading.catch(() => {
      held = undefined;
    });
    return reading;
  };

  const optionalDocument = async <T extends TSchema>(name: string, schema: T) => {
    const text = joined(await parameters(), name);
    return text === undefined ? undefined : parsed(text, `${prefix}/${name}`, schema);
  };

  return {
    optionalDocument,
    document: async (name, schema) => {
      const document = await optionalDocument(name, schema);
      if (document === undefined) {
        throw new ConfigurationError(`Parameter ${prefix}/${name} does not exist: update the pipeline`);
      }
      return document;
    },
  };
}

async function readParameters(ssm: SSMClient, prefix: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let token: string | undefined;
  do {
    const page = await ssm.send(
      new GetParametersByPathCommand({ Path: prefix, Recursive: true, MaxResults: 10, NextToken: token }),
    );
    for (const { Name = "", Value: value = "" } of page.Parameters ?? []) {
      found.set(Name.slice(prefix.length + 1), value);
    }
    token = page.NextToken;
  } while (token !== undefined);
  return found;
}

/** A document that is too long for one parameter stands in several, numbered from 1. */
function joined(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const whole = parameters.get(name);
  if (whole !== undefined) return whole;
  const parts: string[] = [];
  for (let part = parameters.get(`${name}/1`); part !== undefined; ) {
    parts.push(part);
    part = parameters.get(`${name}/${parts.length + 1}`);
  }
  return parts.length === 0 ? undefined : parts.join("");
}

function parsed<T extends TSchema>(text: string, parameter: string, schema: T): Static<T> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(`Parameter ${parameter} is no JSON: update the pipeline`, { cause });
  }
  const [problem] = Value.Errors(schema, document);
  if (problem !== undefined) {
    throw new ConfigurationError(
      `Parameter ${parameter}${problem.instancePath}: ${problem.message}; update the pipeline`,
    );
  }
  return document as Static<T>;
}
