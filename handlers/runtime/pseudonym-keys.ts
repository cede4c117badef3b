import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";

/** HMAC-SHA256 has no use for a longer key than its block and no strength left with one shorter than its hash (RFC 2104). */
const KEY_BYTES = 32;

/** What the pipeline's secret holds, as JSON: every key that ever was current, the newest first. */
export const PseudonymKeys = Type.Object(
  {
    version: Type.Literal(1),
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: "^[0-9a-f-]{36}$" }),
          created: Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T[\\d:.]+Z$" }),
          // 32 bytes.
          key: Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" }),
        },
        { additionalProperties: false },
      ),
      // A new one each quarter; the secret has room for 64 KiB.
      { minItems: 1, maxItems: 400 },
    ),
  },
  { additionalProperties: false },
);

export type PseudonymKeys = Static<typeof PseudonymKeys>;

/** The secret's content is none of ours. */
export class PseudonymKeysError extends Error {
  override readonly name = "PseudonymKeysError";
}

/** Throws `PseudonymKeysError`, which never quotes the secret. */
export function parsePseudonymKeys(text: string): PseudonymKeys {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PseudonymKeysError("The secret of the pipeline is no JSON: put back its previous version");
  }
  if (!Value.Check(PseudonymKeys, value)) {
    throw new PseudonymKeysError(
      "The secret of the pipeline holds no pseudonym keys: put back its previous version",
    );
  }
  return value;
}

/** The keys with another one before them, which names from now on. */
export function withNewerKey(keys: PseudonymKeys | undefined, now: Date): PseudonymKeys {
  const newest = {
    id: randomUUID(),
    created: now.toISOString(),
    key: randomBytes(KEY_BYTES).toString("base64"),
  };
  return { version: 1, keys: [newest, ...(keys?.keys ?? [])] };
}

const hashed = (key: string, subject: string) =>
  createHmac("sha256", Buffer.from(key, "base64")).update(subject).digest();

/**
 * Names a subject without saying who it is: `<key's id>.<HMAC-SHA256, base64url>` by the newest key. The same subject has the same
 * pseudonym until the next rotation; the older ones are recognised for ever. `subject` is hashed byte by byte, so callers
 * agree on one way to write it.
 */
export function pseudonym(keys: PseudonymKeys, subject: string): string {
  const [newest] = keys.keys;
  if (newest === undefined) throw new PseudonymKeysError("There is no key to make a pseudonym with");
  return `${newest.id}.${hashed(newest.key, subject).toString("base64url")}`;
}

/** Whether this is a pseudonym of the subject, by whichever key it was made. In constant time for a key that is held. */
export function recognise(keys: PseudonymKeys, subject: string, name: string): boolean {
  const [id = "", hash = ""] = name.split(".");
  const made = keys.keys.find((each) => each.id === id);
  if (made === undefined) return false;
  const expected = hashed(made.key, subject);
  const given = Buffer.from(hash, "base64url");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * The secret's current keys. The program plants no value, so whoever comes first makes one; of two at the same time both get the
 * same. Needs `secretsmanager:GetSecretValue` and, for the very first time, `PutSecretValue`.
 */
export async function openPseudonymKeys(
  secrets: SecretsManagerClient,
  secretId: string,
  now: Date,
): Promise<PseudonymKeys> {
  const current = await readPseudonymKeys(secrets, secretId);
  if (current !== undefined) return current;
  const first = withNewerKey(undefined, now);
  try {
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: secretId,
        // A version of this name is made once: Secrets Manager refuses another value under it.
        ClientRequestToken: FIRST_VERSION,
        SecretString: JSON.stringify(first),
      }),
    );
    return first;
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    const made = await readPseudonymKeys(secrets, secretId);
    if (made === undefined) throw error;
    return made;
  }
}

const FIRST_VERSION = "aidlc-first-pseudonym-keys-000001";

/** Keys of the secret's current version, or of the one named; undefined where it has no value yet. */
export async function readPseudonymKeys(
  secrets: SecretsManagerClient,
  secretId: string,
  versionId?: string,
): Promise<PseudonymKeys | undefined> {
  try {
    const { SecretString = "" } = await secrets.send(
      new GetSecretValueCommand({
        SecretId: secretId,
        ...(versionId === undefined ? { VersionStage: "AWSCURRENT" } : { VersionId: versionId }),
      }),
    );
    return parsePseudonymKeys(SecretString);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
