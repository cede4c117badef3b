import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html: a prefix, and keys behind it. */
const Manifest = Type.Array(
  Type.Union([Type.Object({ prefix: Type.String() }), Type.String({ minLength: 1 })]),
  {
    minItems: 1,
  },
);

/** A manifest that nothing can be trained on. The message says what to do. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

/**
 * Keys of the objects that a manifest lists, each once, in its order. Throws `ManifestError` where it is none, lists nothing, or lists what did
 * not pass the validation of this pipeline.
 */
export function manifestKeys(text: string, bucket: string): string[] {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new ManifestError("The manifest is no JSON: let validation write it", { cause });
  }
  if (!Value.Check(Manifest, manifest)) {
    throw new ManifestError("The manifest is no list of a prefix and keys: let validation write it");
  }
  const [first, ...rest] = manifest;
  const prefix = typeof first === "object" ? first.prefix : "";
  const accepted = `s3://${bucket}/${PREFIX.acceptedData}`;
  const keys = rest.map((entry) => {
    const uri = `${prefix}${typeof entry === "string" ? entry : entry.prefix}`;
    if (typeof entry !== "string" || !uri.startsWith(accepted)) {
      throw new ManifestError(
        `The manifest lists what is not below ${accepted}: train on accepted data only`,
      );
    }
    return uri.slice(`s3://${bucket}/`.length);
  });
  if (keys.length === 0) {
    throw new ManifestError("The manifest lists no object: bring data in, and train once some is accepted");
  }
  return [...new Set(keys)];
}

/**
 * Keys of the objects that a manifest lists and that are there, in its order: accepted data expires by its retention, and a job fails at a
 * key that is not there. `leftOut` counts the others. Throws `ManifestError` as `manifestKeys` does, and where nothing is left.
 */
export async function presentKeys(
  s3: S3Client,
  bucket: string,
  text: string,
): Promise<{ readonly keys: readonly string[]; readonly leftOut: number }> {
  const listed = manifestKeys(text, bucket);
  const stored = await acceptedKeys(s3, bucket);
  const keys = listed.filter((key) => stored.has(key));
  if (keys.length === 0) {
    throw new ManifestError(
      `None of the ${listed.length} objects that the manifest lists is there any more: bring new data in, and train once some is accepted`,
    );
  }
  return { keys, leftOut: listed.length - keys.length };
}

/** A list takes a request for a thousand objects, where asking for each would take one for each. */
async function acceptedKeys(s3: S3Client, bucket: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: PREFIX.acceptedData, ContinuationToken: token }),
    );
    for (const { Key = "" } of page.Contents ?? []) keys.add(Key);
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}
