const VALUE_PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["an AWS access key id", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/],
  ["a Slack token", /\bxox[abposr]-[A-Za-z0-9-]{10,}/],
  ["a JSON Web Token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\./],
  // An AWS secret key is 40 base64 characters; a hexadecimal commit id of that length is none.
  ["an AWS secret access key", /^(?![0-9a-fA-F]{40}$)(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9/+]{40}$/],
  ["a password in an address", /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:[^/\s@]+@/i],
];

// Whole words only: "max_tokens" and "tokenizer" are hyperparameters, "auth_token" is not.
const NAME_PATTERN =
  /(^|[^a-z0-9])(password|passwd|secret|secret[-_]?key|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|auth[-_]?token)($|[^a-z0-9])/i;

/** What kind of credential the value looks like, or undefined. */
export function credentialIn(value: string): string | undefined {
  return VALUE_PATTERNS.find(([, pattern]) => pattern.test(value))?.[0];
}

/** Whether a field of this name would hold a credential. */
export function isCredentialName(name: string): boolean {
  return NAME_PATTERN.test(name);
}
