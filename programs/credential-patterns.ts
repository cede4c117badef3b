/**
 * Forms of credentials, and what each is. Every pattern takes time in proportion to the text, however the text was made: what may
 * repeat is bounded, or can begin at one place only.
 */
export const CREDENTIAL_PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["an AWS access key id", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["an AWS session token", /\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/]{40}/],
  [
    "an AWS secret access key",
    /\baws_?secret_?access_?key["']?[ \t]{0,8}[=:][ \t]{0,8}["']?[A-Za-z0-9/+]{40}/i,
  ],
  ["a private key", /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})/],
  ["a GitLab token", /\bglpat-[A-Za-z0-9_-]{20}/],
  ["a Slack token", /\bxox[abeposr]-[A-Za-z0-9-]{10}/],
  ["a Hugging Face token", /\bhf_[A-Za-z0-9]{34}/],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}/],
  ["a Google API key", /\bAIza[A-Za-z0-9_-]{35}/],
  ["a Stripe key", /\b[rs]k_live_[A-Za-z0-9]{20}/],
  ["a key of an AI service", /\bsk-[A-Za-z0-9-]{0,16}[A-Za-z0-9_-]{40}/],
  ["an API key of this service", /\baidlc_[0-9a-f]{12}_[A-Za-z0-9_-]{43}/],
  ["a JSON Web Token", /\beyJ[A-Za-z0-9_-]{10,256}\.eyJ[A-Za-z0-9_-]{10}/],
  ["a password in an address", /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^/\s:@]{0,256}:[^/\s@]{1,256}@/i],
];

// Only as a whole value: amid other text, paths and digests look the same. A hexadecimal commit id of that length is none.
const SECRET_ACCESS_KEY = /^(?![0-9a-fA-F]{40}$)(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9/+]{40}$/;

// Whole words only: "max_tokens" and "tokenizer" are hyperparameters, "auth_token" is not.
const NAME_PATTERN =
  /(^|[^a-z0-9])(password|passwd|secret|secret[-_]?key|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|auth[-_]?token)($|[^a-z0-9])/i;

/** What kind of credential the text is, or holds; undefined when it looks like none. */
export function credentialIn(text: string): string | undefined {
  if (text.length === 40 && SECRET_ACCESS_KEY.test(text)) return "an AWS secret access key";
  return CREDENTIAL_PATTERNS.find(([, pattern]) => pattern.test(text))?.[0];
}

/** Whether a field of this name would hold a credential. */
export function isCredentialName(name: string): boolean {
  return NAME_PATTERN.test(name);
}
