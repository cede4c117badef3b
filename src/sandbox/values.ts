/** What properties are made of once they are off the wire. */
export type PropertyValue = string | number | boolean | null | PropertyValue[] | PropertyMap;
export interface PropertyMap {
  [name: string]: PropertyValue;
}

export type Path = readonly (string | number)[];

/** Stands for a value that only the update will know; the engine's own constant. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The key that tells secrets, assets, archives and outputs from plain objects, and its values. */
export const signatureKey = "4dabf18193072939515e22adb298388d";
export const signatures = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
} as const;

export function isMap(value: PropertyValue | undefined): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isAsset(value: PropertyValue | undefined): value is PropertyMap {
  if (!isMap(value)) return false;
  const signature = value[signatureKey];
  return signature === signatures.asset || signature === signatures.archive;
}

export function isUnknown(value: PropertyValue | undefined): boolean {
  return value === unknownValue;
}

export function containsUnknown(value: PropertyValue | undefined): boolean {
  if (typeof value !== "object" || value === null) return value === unknownValue;
  return (Array.isArray(value) ? value : Object.values(value)).some(containsUnknown);
}

export function isEqual(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isEqual(item, b[index]));
  }
  // The content of an asset may be left out on the way back; its hash is what identifies it.
  if (isAsset(a) && isAsset(b)) return a.hash === b.hash;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => name in b && isEqual(a[name], b[name]))
  );
}

/** The engine's notation, `rules[0].tags["a.b"]`: it parses the paths of a diff. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `["${step.replaceAll('"', '\\"')}"]`;
  }
  return text;
}

/** A path as the facts write it: no list positions. */
export function schemaPath(path: Path): string {
  return path.filter((step) => typeof step === "string").join(".");
}

/** Every value that a facts path (`rules.destination.bucket`) reaches, going through lists. */
export function valuesAt(value: PropertyValue | undefined, path: readonly string[]): PropertyValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path));
  const [name, ...rest] = path;
  if (name === undefined) return [value];
  return isMap(value) ? valuesAt(value[name], rest) : [];
}

/** Short text of a value for messages. */
export function shown(value: PropertyValue | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
