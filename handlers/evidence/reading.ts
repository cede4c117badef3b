/** What AWS said when it was asked for one thing. A read that failed says nothing about the thing. */
export type Reading<T> =
  | { readonly is: "there"; readonly value: T }
  /** AWS knows no such thing: it isn't set, or there is none. */
  | { readonly is: "absent" }
  | { readonly is: "unreadable"; readonly why: string };

/** How the services say that there is none, or that nothing is set. */
const ABSENT = new Set([
  "NoSuchBucketPolicy",
  "NoSuchConfiguration",
  "NoSuchEntity",
  "NoSuchEntityException",
  "NoSuchLifecycleConfiguration",
  "NoSuchPublicAccessBlockConfiguration",
  "NoSuchTagSet",
  "NotFoundException",
  "OwnershipControlsNotFoundError",
  "QueueDoesNotExist",
  "ReplicationConfigurationNotFoundError",
  "ResourceNotFound",
  "ResourceNotFoundException",
  "ServerSideEncryptionConfigurationNotFoundError",
  "NoSuchBucket",
  "TrailNotFoundException",
]);

/** Asks once. One failing read makes what it is about unknown, and nothing else. */
export async function reading<T>(read: () => Promise<T | undefined>): Promise<Reading<T>> {
  try {
    const value = await read();
    return value === undefined ? { is: "absent" } : { is: "there", value };
  } catch (error) {
    const { name = "Error", message = "" } = error as Error;
    // SageMaker says so in a message of its general error for what it refuses.
    const isRefused = name === "ValidationException" || name === "ValidationError";
    if (ABSENT.has(name) || (isRefused && /does not exist|not find|not found/i.test(message))) {
      return { is: "absent" };
    }
    return { is: "unreadable", why: name };
  }
}

/** As many at once as AWS's slowest read rates (IAM, KMS, SageMaker) bear without being asked to slow down. */
const AT_ONCE = 8;

/** The results in the order of the items. */
export async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
