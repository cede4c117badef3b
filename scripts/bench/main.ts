import { parseArgs } from "node:util";
import { benchFleet } from "./fleet.ts";
import { benchGate } from "./gate.ts";
import { benchGraph } from "./graph.ts";
import { benchPolicies } from "./policies.ts";
import { benchProvision } from "./provision.ts";
import { benchValidate } from "./validate.ts";

const benches = {
  fleet: benchFleet,
  gate: benchGate,
  graph: benchGraph,
  policies: benchPolicies,
  provision: benchProvision,
  validate: benchValidate,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, quick: { type: "boolean" } },
});
const bench = Object.entries(benches).find(([name]) => name === positionals[0])?.[1];
if (!bench) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(benches).join("|")} [--json] [--quick]\n`);
  process.exit(2);
}
// With --json the figures for people go to the error stream, so that the last line of the output is the JSON.
const print = (line: string) => (values.json ? process.stderr : process.stdout).write(`${line}\n`);
// biome-ignore lint/style/noProcessEnv: a command of its own; the service and the bare script get parts of it
const result = await bench(process.env, print, { quick: values.quick === true });
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
