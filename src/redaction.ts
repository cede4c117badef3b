import { CREDENTIAL_PATTERNS } from "../programs/credential-patterns.ts";

export const masked = "[secret]";

// Pulumi marks a value by one of these keys in the state: a secret, or an output of which it knows no more than that.
// https://www.pulumi.com/docs/iac/concepts/secrets/
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

// The patterns tell that there is a credential; these also take the rest of it, and leave what stands around it readable.
const wholeForms: Readonly<Record<string, RegExp>> = {
  "an AWS session token": /\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/=]{40,}/g,
  "a private key":
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
  "a JSON Web Token": /\beyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,4096}(?:\.[A-Za-z0-9_-]*)?/g,
  "a password in an address": /(?<=:\/\/[^\s:/@"'\\<>{}]*:)[^\s/@"'\\<>{}]+(?=@)/g,
};

/** A pattern that also finds what follows an escaped line break: in a line of JSON, the `n` before it is none of its letters. */
function inJsonToo({ source, flags }: RegExp): RegExp {
  return new RegExp(source.replace(/^\\b/, "(?:\\b|(?<=\\\\[bfnrt]))"), flags);
}

// None takes a quote or a backslash, but with what it masks: a line of JSON stays one.
const credentialForms = [
  ...CREDENTIAL_PATTERNS.map(
    ([what, { source, flags }]) => wholeForms[what] ?? new RegExp(`${source}[A-Za-z0-9_+/=-]*`, `${flags}g`),
  ),
  // The scheme of an authorization header and what follows it; prose such as "bearer authentication" has no digit there.
  /(?<=(?:bearer|basic)\s{1,8})(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{16,}/gi,
].map(inJsonToo);

const secretNames =
  "pass(?:word|wd|phrase)|secret(?:[_-]?string)?|(?:secret|api|access|private|signing)(?:[_-]?access)?[_-]?key|(?:auth|access|session|refresh|id|bearer|bootstrap)[_-]?token|client[_-]?secret|credentials?|authorization|token";
/** As the last words of a property's name. */
const secretName = new RegExp(`(?:${secretNames})$`, "i");
/** In a text; behind a colon, as in an ARN, it is a kind of resource. */
const namedSecret = new RegExp(
  `(?<!:)((?:${secretNames})\\\\?["']?\\s{0,8}[:=]\\s{0,8}\\\\?["']?)([^\\s"'\\\\,;&<>(){}]{16,})`,
  "gi",
);

export type Redact = (text: string) => string;

/** A redactor for texts: `secrets` by value, well-known credentials by form. */
export function redactor(secrets: readonly string[]): Redact {
  // A shorter one would mask ordinary words.
  const known = secrets.filter((secret) => secret.length >= 8);
  return (text) => {
    let result = text;
    for (const secret of known) result = result.replaceAll(secret, masked);
    return maskForms(result);
  };
}

/** The redactor of whoever knows no secret: credentials by form, and by the name before them. */
export const redactText: Redact = redactor([]);

/**
 * A copy of a property value in which every secret of Pulumi's, every credential in a string, and what stands under the name of a
 * credential and looks like one, is masked.
 */
export function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redact));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (signatureKey in value && value[signatureKey] === secretSignature) return masked;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === "string" && isGuessProof(item) && secretName.test(key)
        ? masked
        : redactValue(item, redact),
    ]),
  );
}

function maskForms(text: string): string {
  // Shorter than any form; most values are.
  if (text.length < 8) return text;
  let result = text.replace(namedSecret, (whole, name: string, value: string) =>
    isGuessProof(value) ? `${name}${masked}` : whole,
  );
  for (const form of credentialForms) result = result.replace(form, masked);
  return result;
}

const shortestSecret = 16;
// English words have less, keys in hexadecimal 3.5 and more.
const leastBitsPerCharacter = 3.2;

/** Whether it has the length and the disorder of a key; ARNs have both, and are none. */
function isGuessProof(value: string): boolean {
  if (
    value.length < shortestSecret ||
    /\s/.test(value) ||
    /^(?:arn:|https?:\/\/[^@]*$|\[secret\])/.test(value)
  )
    return false;
  if (!/\d/.test(value)) return false;
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits >= leastBitsPerCharacter;
}

/** The password in an address, as it stands there and as it is meant. */
export function passwordsIn(address: string): string[] {
  const password = URL.canParse(address) ? new URL(address).password : "";
  if (password === "") return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    // A percent sign that escapes nothing.
    return [password];
  }
}
