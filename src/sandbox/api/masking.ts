import { isMap, type Path, type PropertyMap, type PropertyValue } from "../values.ts";

const mask = "[secret]";

/** A copy in which every value that a secret path reaches is masked. */
export function maskSecrets(values: PropertyMap, secrets: readonly Path[]): PropertyMap {
  let masked: PropertyValue = values;
  for (const path of secrets) masked = maskAt(masked, path);
  return isMap(masked) ? masked : {};
}

function maskAt(value: PropertyValue, path: Path): PropertyValue {
  const [step, ...rest] = path;
  if (step === undefined) return mask;
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? maskAt(item, rest) : item));
  const member = isMap(value) ? value[step] : undefined;
  if (!isMap(value) || member === undefined) return value;
  return { ...value, [step]: maskAt(member, rest) };
}
