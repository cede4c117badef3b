import { isIgnoredTag, type ProviderConfiguration } from "./configuration.ts";
import type { PropertyMap, PropertyValue } from "./values.ts";
import { isMap, isUnknown, unknownValue } from "./values.ts";

/** The tags a resource really bears: the provider's default tags, with the resource's own on top. */
export function actualTags(
  tags: PropertyValue | undefined,
  configuration: ProviderConfiguration,
): PropertyMap | string {
  if (isUnknown(tags)) return unknownValue;
  const merged: PropertyMap = { ...configuration.defaultTags, ...(isMap(tags) ? tags : {}) };
  return Object.fromEntries(Object.entries(merged).filter(([key]) => !isIgnoredTag(configuration, key)));
}
