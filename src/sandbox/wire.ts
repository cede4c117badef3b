import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type { Path, PropertyMap, PropertyValue } from "./values.ts";
import { isMap, signatureKey, signatures, unknownValue } from "./values.ts";

/** Properties off the wire: plain values, and beside them where the secrets were. */
export interface Properties {
  readonly values: PropertyMap;
  readonly secrets: readonly Path[];
}

/** Decodes the engine's notation of properties: secrets and outputs are unwrapped, null properties are left out. */
export function decodeProperties(struct: structPb.Struct | undefined): Properties {
  if (!struct) return { values: {}, secrets: [] };
  const secrets: Path[] = [];
  const values = decodeStruct(struct, [], secrets, false);
  return { values: isMap(values) ? values : {}, secrets };
}

function decodeValue(value: structPb.Value, path: Path, secrets: Path[], inSecret: boolean): PropertyValue {
  switch (value.getKindCase()) {
    case structPb.Value.KindCase.STRING_VALUE:
      return value.getStringValue();
    case structPb.Value.KindCase.NUMBER_VALUE:
      return value.getNumberValue();
    case structPb.Value.KindCase.BOOL_VALUE:
      return value.getBoolValue();
    case structPb.Value.KindCase.LIST_VALUE:
      return (value.getListValue()?.getValuesList() ?? []).map((item, index) =>
        decodeValue(item, [...path, index], secrets, inSecret),
      );
    case structPb.Value.KindCase.STRUCT_VALUE: {
      const struct = value.getStructValue();
      return struct ? decodeStruct(struct, path, secrets, inSecret) : {};
    }
    default:
      return null;
  }
}

function decodeStruct(
  struct: structPb.Struct,
  path: Path,
  secrets: Path[],
  inSecret: boolean,
): PropertyValue {
  const fields = struct.getFieldsMap();
  const signature = fields.get(signatureKey)?.getStringValue();
  if (signature === signatures.secret || signature === signatures.output) {
    const isSecret = signature === signatures.secret || fields.get("secret")?.getBoolValue() === true;
    if (isSecret && !inSecret) secrets.push(path);
    const wrapped = fields.get("value");
    return wrapped ? decodeValue(wrapped, path, secrets, inSecret || isSecret) : unknownValue;
  }
  if (signature === signatures.resource) return fields.get("id")?.getStringValue() || unknownValue;
  const map: PropertyMap = {};
  fields.forEach((field, name) => {
    const value = decodeValue(field, [...path, name], secrets, inSecret);
    if (value !== null) map[name] = value;
  });
  return map;
}

/** The reverse: every value that a secret path reaches is wrapped again. Paths that reach nothing are passed over. */
export function encodeProperties(values: PropertyMap, secrets: readonly Path[] = []): structPb.Struct {
  return encodeStruct(values, secrets);
}

function encodeStruct(map: PropertyMap, secrets: readonly Path[]): structPb.Struct {
  const struct = new structPb.Struct();
  const fields = struct.getFieldsMap();
  for (const [name, value] of Object.entries(map)) {
    if (value !== undefined) fields.set(name, encodeValue(value, stepInto(secrets, name)));
  }
  return struct;
}

function stepInto(secrets: readonly Path[], step: string | number): readonly Path[] {
  if (secrets.length === 0) return secrets;
  return secrets.filter(([first]) => first === step).map((path) => path.slice(1));
}

function encodeValue(value: PropertyValue, secrets: readonly Path[]): structPb.Value {
  const encoded = new structPb.Value();
  if (secrets.some((path) => path.length === 0)) {
    const wrapper = new structPb.Struct();
    wrapper.getFieldsMap().set(signatureKey, new structPb.Value().setStringValue(signatures.secret));
    wrapper.getFieldsMap().set("value", encodeValue(value, []));
    return encoded.setStructValue(wrapper);
  }
  if (typeof value === "string") return encoded.setStringValue(value);
  if (typeof value === "number") return encoded.setNumberValue(value);
  if (typeof value === "boolean") return encoded.setBoolValue(value);
  if (value === null) return encoded.setNullValue(structPb.NullValue.NULL_VALUE);
  if (Array.isArray(value)) {
    const list = new structPb.ListValue();
    list.setValuesList(value.map((item, index) => encodeValue(item, stepInto(secrets, index))));
    return encoded.setListValue(list);
  }
  return encoded.setStructValue(encodeStruct(value, secrets));
}
