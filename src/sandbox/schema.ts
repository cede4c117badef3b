import { readFileSync } from "node:fs";
import type { PropertyMap } from "./values.ts";

/** A type in the notation of schema/aws.json, parsed. */
export type TypeRef =
  | { readonly kind: "string" | "number" | "boolean" | "any" | "json" | "asset" }
  | { readonly kind: "list" | "map"; readonly element: TypeRef }
  | { readonly kind: "object"; readonly name: string };

export interface PropertySchema {
  readonly type: TypeRef;
  readonly required: boolean;
}

export type ShapeSchema = ReadonlyMap<string, PropertySchema>;

export interface AutoName {
  readonly input: string;
  readonly max: number | null;
  readonly sep?: string;
  readonly rand?: number;
  readonly charset?: string;
  readonly lower?: boolean;
  readonly prefix?: string;
  readonly random?: boolean;
  readonly suffixIfFifo?: string;
  readonly unlessSet?: string;
}

export type DefaultValue =
  | string
  | number
  | boolean
  | readonly string[]
  | { readonly [name: string]: DefaultValue };

/** What the declarations don't say about a type: schema/aws-facts.json. */
export interface Facts {
  readonly replaceOnChange?: readonly string[];
  readonly id: string;
  readonly arn: string | null;
  readonly autoName?: AutoName;
  readonly computed?: readonly string[];
  readonly defaults?: Readonly<Record<string, DefaultValue>>;
  readonly enums?: Readonly<Record<string, readonly (string | number)[]>>;
  readonly nestedEnums?: Readonly<Record<string, readonly (string | number)[]>>;
  readonly patterns?: Readonly<Record<string, string>>;
  readonly lengths?: Readonly<Record<string, readonly [number, number | null]>>;
  readonly ranges?: Readonly<Record<string, readonly [number, number | null]>>;
  readonly nestedRanges?: Readonly<Record<string, readonly [number, number | null]>>;
  readonly unique: "global" | "account" | "account-region" | "parent" | null;
  readonly uniqueBy?: readonly string[];
  /** A second one with the same identity takes the place of the first instead of failing. */
  readonly overwrites?: true;
  readonly references?: Readonly<Record<string, string>>;
  /** References that AWS takes without looking whether their target exists. */
  readonly unverified?: readonly string[];
  /** References whose ARN may be of another region than the resource. */
  readonly crossRegion?: readonly string[];
  /** Inputs that look like references and are none. */
  readonly freeText?: readonly string[];
  readonly exactlyOneOf?: readonly (readonly string[])[];
  readonly atLeastOneOf?: readonly (readonly string[])[];
  readonly conflicts?: readonly (readonly string[])[];
  readonly deleteBeforeReplace?: true;
  readonly createSecondsTypical?: number;
}

export interface ResourceType {
  readonly token: string;
  readonly inputs: ShapeSchema;
  /** Outputs that are not inputs. */
  readonly outputs: ShapeSchema;
  readonly secrets: readonly string[];
  readonly facts: Facts;
}

export interface InvokeType {
  readonly inputs: ShapeSchema;
}

type RawShape = Record<string, string>;

interface RawSchema {
  readonly provider: RawShape;
  readonly types: Record<string, { inputs: RawShape; outputs: RawShape; secrets?: string[] }>;
  readonly invokes: Record<string, { inputs: RawShape }>;
  readonly objects: Record<string, RawShape>;
  readonly enums: Record<string, readonly string[]>;
}

function parseType(text: string): TypeRef {
  switch (text.charAt(0)) {
    case "[":
      return { kind: "list", element: parseType(text.slice(1, -1)) };
    case "{":
      return { kind: "map", element: parseType(text.slice(1, -1)) };
    case "#":
      return { kind: "object", name: text.slice(1) };
    case "%":
      // The declarations' enumerations are open (`string | …`): AWS knows values that they don't list yet.
      return { kind: "string" };
    default:
      return { kind: text as "string" };
  }
}

function parseShape(raw: RawShape): ShapeSchema {
  const shape = new Map<string, PropertySchema>();
  for (const [name, type] of Object.entries(raw)) {
    const required = !name.endsWith("?");
    shape.set(required ? name : name.slice(0, -1), { type: parseType(type), required });
  }
  return shape;
}

/** The types of AWS that the sandbox knows. The files are read once, types are parsed when they are first asked for. */
export class Schema {
  readonly #raw: RawSchema;
  readonly #facts: { types: Record<string, Facts> };
  readonly #resources = new Map<string, ResourceType>();
  readonly #objects = new Map<string, ShapeSchema>();

  constructor(folder: URL = new URL("./schema/", import.meta.url)) {
    this.#raw = JSON.parse(readFileSync(new URL("aws.json", folder), "utf8"));
    this.#facts = JSON.parse(readFileSync(new URL("aws-facts.json", folder), "utf8"));
  }

  resource(token: string): ResourceType | undefined {
    const known = this.#resources.get(token);
    if (known) return known;
    const raw = own(this.#raw.types, token);
    const facts = own(this.#facts.types, token);
    if (!raw || !facts) return undefined;
    const type: ResourceType = {
      token,
      inputs: parseShape(raw.inputs),
      outputs: parseShape(raw.outputs),
      secrets: raw.secrets ?? [],
      facts,
    };
    this.#resources.set(token, type);
    return type;
  }

  object(name: string): ShapeSchema {
    const known = this.#objects.get(name);
    if (known) return known;
    const raw = this.#raw.objects[name];
    if (!raw) throw new Error(`The sandbox's schema has no nested type ${name}: generate it anew`);
    const shape = parseShape(raw);
    this.#objects.set(name, shape);
    return shape;
  }

  invoke(token: string): InvokeType | undefined {
    const raw = own(this.#raw.invokes, token);
    return raw && { inputs: parseShape(raw.inputs) };
  }

  provider(): ShapeSchema {
    return parseShape(this.#raw.provider);
  }

  tokens(): readonly string[] {
    return Object.keys(this.#raw.types);
  }
}

/** The input that holds the physical name, where the type has one. */
export function nameInput({ facts }: ResourceType): string | undefined {
  return facts.autoName?.input ?? facts.uniqueBy?.at(-1);
}

/** The physical name of a resource, where its type has one. */
export function nameOf(type: ResourceType, properties: PropertyMap): string | undefined {
  const key = nameInput(type);
  const name = key === undefined ? undefined : properties[key];
  return typeof name === "string" ? name : undefined;
}

/** Tokens come from requests: one may be the name of what every object has. */
function own<Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
