// All that a runner, the engine and its plugins may see of the service's environment. The engine would take any of its flags
// from PULUMI_OPTION_*, so nothing passes that isn't listed.
const always =
  /^(PATH|LANG|LC_ALL|TZ|HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS)$/;

// Where and how AWS is asked, never as whom: keys, tokens, profiles and files are the service's own.
const awsSettings =
  /^AWS_(REGION|DEFAULT_REGION|CA_BUNDLE|ENDPOINT_URL(_[A-Z0-9_]+)?|USE_FIPS_ENDPOINT|USE_DUALSTACK_ENDPOINT|STS_REGIONAL_ENDPOINTS|RETRY_MODE|MAX_ATTEMPTS|(REQUEST|RESPONSE)_CHECKSUM_(CALCULATION|VALIDATION))$/;

// A backend outside of AWS has only one identity, the service's; it goes where that backend is used.
const backendVariables: Readonly<Record<string, RegExp>> = {
  "azblob:": /^AZURE_[A-Z0-9_]+$/,
  "gs:": /^GOOGLE_[A-Z0-9_]+$/,
};

/** The allow-listed part of an environment for the processes of a run, whose states are in `backendUrl`. */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  backendUrl: string,
): Record<string, string> {
  const backend = backendVariables[backendUrl.split("//")[0] ?? ""];
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (always.test(name) || awsSettings.test(name) || backend?.test(name)) kept[name] = value;
  }
  // A machine's own role is the service's, and every process of the machine could ask for it.
  return { ...kept, AWS_EC2_METADATA_DISABLED: "true" };
}
