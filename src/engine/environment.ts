// All that a runner, the engine and its plugins may see of the service's environment. The engine would take any of its flags
// from PULUMI_OPTION_*, so nothing passes that isn't listed. The AWS names serve the state backend and the provider's
// ambient identity, from which it assumes a team's role.
const allowed =
  /^(PATH|LANG|LC_ALL|TZ|HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|AWS_[A-Z0-9_]+|AZURE_[A-Z0-9_]+|GOOGLE_[A-Z0-9_]+)$/;

/** The allow-listed part of an environment. */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && allowed.test(name)) kept[name] = value;
  }
  return kept;
}
