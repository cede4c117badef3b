import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RunCredentials } from "./protocol.ts";

const stateProfile = "aidlc-state";
const stateScript = fileURLToPath(new URL("./state-credentials.ts", import.meta.url));

/**
 * The variables by which the provider finds its session, and the state backend another one. Both look in the same environment, so
 * only the provider's is what AWS's SDKs find by themselves; the backend's is behind a profile that only its address names.
 */
export function credentialVariables(credentials: RunCredentials, folder: string): Record<string, string> {
  const { provider, state } = credentials;
  return {
    ...(provider && {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: provider.url,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: provider.token,
    }),
    ...(state && {
      AWS_CONFIG_FILE: writeProfile(folder),
      AIDLC_STATE_CREDENTIALS_URL: state.url,
      AIDLC_STATE_CREDENTIALS_TOKEN: state.token,
    }),
  };
}

/** The backend's address with the profile of its session; another backend's as it is. */
export function withStateProfile(backendUrl: string, { state }: RunCredentials): string {
  if (state === undefined) return backendUrl;
  const url = new URL(backendUrl);
  url.searchParams.set("profile", stateProfile);
  return url.href;
}

function writeProfile(folder: string): string {
  const file = `${folder}/aws-config`;
  // Address and token are in the environment: anybody on the machine can read the arguments of a process.
  // A shell runs it, after the SDK has taken the quotes off that stand at both ends: so none is used.
  const command = [process.execPath, stateScript].map(escaped).join(" ");
  writeFileSync(file, `[profile ${stateProfile}]\ncredential_process = ${command}\n`, { mode: 0o600 });
  return file;
}

function escaped(path: string): string {
  return path.replace(/[^\w@%+=:,./-]/g, "\\$&");
}
