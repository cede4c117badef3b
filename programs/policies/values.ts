/** What can't be known before AWS has made it. A rule that has read it decides nothing. */
export const notYetKnown = Object.freeze({});

export type Properties = Readonly<Record<string, unknown>>;

/** The value at a path such as `rule.objectOwnership` or `rules.0.id`. */
export function at(root: unknown, path: string): unknown {
  let value = root;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Properties)[key];
  }
  return value;
}

/** Whether a value is absent or empty. */
export function missing(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return Array.isArray(value) && value.length === 0;
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The texts of a list, or of what stands where a list of one may. */
export function texts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
}

export function properties(value: unknown): Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Properties) : {};
}

/** A JSON document in a property, whether it stands there as an object or as text; undefined when it isn't JSON. */
export function json(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Every text anywhere in a value. */
export function allTexts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(allTexts);
}

/** Whether there is something unknown anywhere in a value. */
export function holdsUnknown(value: unknown): boolean {
  if (value === notYetKnown) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown);
}

/** The value with a guard that tells whenever somebody reads something unknown in it. */
export function observed(value: unknown, onUnknown: () => void): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get: (target, key, receiver) => {
      const item: unknown = Reflect.get(target, key, receiver);
      if (item === notYetKnown) onUnknown();
      return observed(item, onUnknown);
    },
  });
}
