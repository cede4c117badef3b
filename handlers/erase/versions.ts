import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  RestoreObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

export interface Version {
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly bytes: number;
  readonly storageClass: string;
}

/** Everything that a bucket has under one key. */
export interface KeyVersions {
  readonly key: string;
  /** The newest first. */
  readonly versions: readonly Version[];
  readonly markers: readonly { readonly versionId: string; readonly isLatest: boolean }[];
}

/** All keys of a bucket with all their versions, in the order of their names, after this one or, with `only`, of this one. */
export async function* listKeys(
  s3: S3Client,
  bucket: string,
  from: { readonly after?: string | undefined; readonly only?: string } = {},
): AsyncGenerator<KeyVersions> {
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {
    KeyMarker: from.after,
  };
  // A key's versions may go on on the next page.
  let open:
    | { key: string; versions: Version[]; markers: { versionId: string; isLatest: boolean }[] }
    | undefined;
  for (;;) {
    const page = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: from.only, ...marker }),
    );
    const found = new Map<string, NonNullable<typeof open>>();
    if (open !== undefined) found.set(open.key, open);
    const of = (key: string) => {
      const entry = found.get(key) ?? { key, versions: [], markers: [] };
      found.set(key, entry);
      return entry;
    };
    for (const {
      Key = "",
      VersionId = "",
      IsLatest = false,
      Size = 0,
      StorageClass = "STANDARD",
    } of page.Versions ?? []) {
      const version = { versionId: VersionId, isLatest: IsLatest, bytes: Size, storageClass: StorageClass };
      of(Key).versions.push(version);
    }
    for (const { Key = "", VersionId = "", IsLatest = false } of page.DeleteMarkers ?? []) {
      of(Key).markers.push({ versionId: VersionId, isLatest: IsLatest });
    }
    const keys = [...found.values()].sort((one, other) =>
      Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)),
    );
    open = page.IsTruncated ? keys.pop() : undefined;
    for (const key of keys) if (from.only === undefined || key.key === from.only) yield key;
    if (!page.IsTruncated) return;
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

const ARCHIVES = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** How long a restored copy stays: AWS takes up to two days to make one from the deepest archive. */
const RESTORED_DAYS = 7;

/** Whether an archived version can be read. Asks for it to be restored where nobody has. */
export async function isReadable(
  s3: S3Client,
  bucket: string,
  key: string,
  { versionId, storageClass }: Version,
): Promise<boolean> {
  if (!ARCHIVES.has(storageClass)) return true;
  const place = { Bucket: bucket, Key: key, VersionId: versionId };
  const { Restore } = await s3.send(new HeadObjectCommand(place));
  if (Restore !== undefined) return Restore.includes('ongoing-request="false"');
  await s3.send(
    new RestoreObjectCommand({
      ...place,
      RestoreRequest: { Days: RESTORED_DAYS, GlacierJobParameters: { Tier: "Standard" } },
    }),
  );
  return false;
}

/** Idempotent: S3 answers the same when there is no such version any more. Without a version it puts a marker on top. */
export async function deleteVersion(
  s3: S3Client,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
}
