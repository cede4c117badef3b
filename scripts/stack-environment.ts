import { parseConfig } from "../src/config.ts";
import { withoutSidecars } from "../src/engine/backend-url.ts";
import { stackPassphrases } from "../src/operations/passphrases.ts";

// Prints, for a shell to `eval`, the environment in which the CLI works by hand on a stack of the service whose settings these are.
const [project, stack] = process.argv.slice(2);
if (!project || !stack) {
  process.stderr.write("Usage: npm run --silent stack-environment -- aidlc-pipeline TEAM.PIPELINE\n");
  process.stderr.write("       npm run --silent stack-environment -- aidlc-foundation ACCOUNT.REGION\n");
  process.exit(2);
}
// biome-ignore lint/style/noProcessEnv: a command of its own, with the settings of the service
const environment = process.env;
const { backendUrl, statePassphrase } = parseConfig(environment);
const variables = {
  PATH: environment.PATH ?? "",
  PULUMI_BACKEND_URL: withoutSidecars(backendUrl),
  PULUMI_CONFIG_PASSPHRASE: stackPassphrases(statePassphrase).of(project, stack),
};
for (const [name, value] of Object.entries(variables)) {
  process.stdout.write(`export ${name}='${value.replaceAll("'", "'\\''")}'\n`);
}
