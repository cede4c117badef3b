export const masked = "[secret]";

// Pulumi marks a value by one of these keys in the state: a secret, or an output of which it knows no more than that.
// https://www.pulumi.com/docs/iac/concepts/secrets/
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

// Forms of credentials that must not pass even when nobody declared them secret.
const credentialForms = [
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
  /(?<=:\/\/[^\s:/@"'\\<>{}]+:)[^\s/@"'\\<>{}]+(?=@)/g,
];

export type Redact = (text: string) => string;

/** A redactor for texts of the engine: `secrets` by value, well-known credentials by form. */
export function redactor(secrets: readonly string[]): Redact {
  // A shorter one would mask ordinary words.
  const known = secrets.filter((secret) => secret.length >= 8);
  return (text) => {
    let result = text;
    for (const secret of known) result = result.replaceAll(secret, masked);
    for (const form of credentialForms) result = result.replace(form, masked);
    return result;
  };
}

/** A copy of a property value in which every secret of Pulumi's, and every credential in a string, is masked. */
export function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redact));
  if (typeof value !== "object" || value === null) return value;
  if (signatureKey in value && value[signatureKey] === secretSignature) return masked;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactValue(item, redact)]));
}
