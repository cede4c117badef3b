import { createHash, randomBytes } from "node:crypto";
import type { AutoName, Facts } from "./schema.ts";
import type { PropertyMap } from "./values.ts";

/** How the engine's configuration wants names made: `pulumi:autonaming`. */
export type AutonamingMode = "propose" | "enforce" | "disable";

export interface NameRequest {
  /** The Pulumi name of the resource. */
  readonly logicalName: string;
  /** The checked inputs of before: an automatic name is kept. */
  readonly olds: PropertyMap;
  /** The same seed gives the same name: a preview and its update must agree. Empty means random. */
  readonly seed: Uint8Array;
  readonly autonaming?: { readonly mode: AutonamingMode; readonly proposedName: string };
}

// The bridge notes under this key which inputs it filled in; a later removal of an explicit name can be told from that.
const defaultsKey = "__defaults";

/** Fills in the physical name that the program left out, as the bridge does. */
export function nameAutomatically(facts: Facts, news: PropertyMap, request: NameRequest): PropertyMap {
  const rule = facts.autoName;
  if (!rule) return news;
  const { [defaultsKey]: _, ...inputs } = news;
  if (inputs[rule.input] !== undefined || (rule.unlessSet && inputs[rule.unlessSet] !== undefined))
    return inputs;
  const wasAutomatic = request.olds[defaultsKey];
  const kept = request.olds[rule.input];
  if (Array.isArray(wasAutomatic) && wasAutomatic.includes(rule.input) && kept !== undefined) {
    return { ...inputs, [rule.input]: kept, [defaultsKey]: [rule.input] };
  }
  const name = newName(rule, request, inputs.fifoTopic === true || inputs.fifoQueue === true);
  return name === undefined ? inputs : { ...inputs, [rule.input]: name, [defaultsKey]: [rule.input] };
}

function newName(rule: AutoName, request: NameRequest, isFifo: boolean): string | undefined {
  if (request.autonaming?.mode === "disable") return undefined;
  if (request.autonaming?.mode === "enforce") return request.autonaming.proposedName;
  const suffix = isFifo ? (rule.suffixIfFifo ?? "") : "";
  const prefix = rule.prefix ?? "";
  const proposed = request.autonaming?.proposedName;
  const random =
    rule.random === false || proposed !== undefined
      ? ""
      : (rule.sep ?? "-") + randomText(request.seed, rule.rand ?? 7, rule.charset);
  const room = (rule.max ?? 1024) - prefix.length - random.length - suffix.length;
  const name = prefix + (proposed ?? request.logicalName).slice(0, room) + random + suffix;
  return rule.lower ? name.toLowerCase() : name;
}

function randomText(seed: Uint8Array, length: number, charset: string | undefined): string {
  const bytes = seed.length > 0 ? createHash("sha256").update(seed).digest() : randomBytes(32);
  if (charset === "a-z") {
    return [...bytes.subarray(0, length)].map((byte) => String.fromCharCode(97 + (byte % 26))).join("");
  }
  return bytes.toString("hex").slice(0, length);
}
