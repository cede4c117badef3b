/** Splits a property path of the engine (`a.b[0]["c.d"]`) into its keys. */
export function parsePropertyPath(path: string): (string | number)[] {
  const keys: (string | number)[] = [];
  for (const match of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)) {
    if (match[1] !== undefined) keys.push(match[1].replaceAll('\\"', '"'));
    else if (match[2] !== undefined) keys.push(Number(match[2]));
    else if (match[3] !== undefined) keys.push(match[3]);
  }
  return keys;
}

/** The value at a path, or undefined where a part of the way is missing. */
export function valueAtPath(root: unknown, path: string): unknown {
  let value = root;
  for (const key of parsePropertyPath(path)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
