import { AwsError } from "./aws-error.ts";
import type { ProviderConfiguration } from "./configuration.ts";
import { nameOf, type ResourceType } from "./schema.ts";
import type { Reference } from "./store.ts";
import { missingCode, takenCode, typeTitle } from "./type-names.ts";
import type { PropertyMap } from "./values.ts";

/** AWS's answer to a reference that names nothing. */
export function danglingError({ property, value, types }: Reference): AwsError {
  const [target] = types;
  const what = types.map(typeTitle).join(" or ");
  return new AwsError(
    missingCode(target),
    `${property} refers to "${value}", but there is no such ${what}: create it first or correct the reference`,
  );
}

/** AWS's answer to a name that is taken; `holder` says by whom, where that is known. */
export function takenError(
  type: ResourceType,
  properties: PropertyMap,
  configuration: ProviderConfiguration,
  holder?: { byAccount: string; isScheduledForDeletion: boolean },
): AwsError {
  const title = typeTitle(type.token);
  const name = nameOf(type, properties);
  if (holder?.isScheduledForDeletion) {
    return new AwsError(
      "InvalidRequestException",
      `You can't create this ${title} because one with the name "${name}" is already scheduled for deletion: wait, restore it or choose another name`,
    );
  }
  if (type.token === "aws:s3/bucket:Bucket" && holder && holder.byAccount !== configuration.account) {
    return new AwsError(
      "BucketAlreadyExists",
      `The requested bucket name "${name}" is not available: bucket names are shared by all accounts, choose another one`,
    );
  }
  const called = name === undefined ? "" : ` "${name}"`;
  return new AwsError(
    takenCode(type.token),
    `${title}${called} already exists: import it or choose another name`,
  );
}
