export interface Difference {
  /** Where inside the value; empty for the value itself. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The innermost places where two values differ. Text that holds a JSON document, as policies do, is compared as that document. */
export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  const [left, right] = [opened(before), opened(after)];
  if (!isContainer(left) || !isContainer(right) || Array.isArray(left) !== Array.isArray(right)) {
    return Object.is(left, right) ? [] : [{ path, before, after }];
  }
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) => {
    const step = Array.isArray(left) ? `[${key}]` : path === "" ? key : `.${key}`;
    return differences(left[key], right[key], `${path}${step}`);
  });
}

type Container = Readonly<Record<string, unknown>>;

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function opened(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
