import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { verdictOn } from "./report.ts";

function print(line: string): void {
  process.stdout.write(`dependency audit: ${line}\n`);
}

const args = ["audit", "--omit=dev", "--audit-level=low", "--json"];
const npm = spawn("npm", args, {
  cwd: new URL("../..", import.meta.url),
  stdio: ["ignore", "pipe", "ignore"],
});
const verdict = verdictOn(await text(npm.stdout));
switch (verdict.kind) {
  case "clean":
    print(`${verdict.packages} packages without a known vulnerability`);
    break;
  case "vulnerable":
    for (const finding of verdict.findings) print(finding);
    process.exitCode = 1;
    break;
  case "not run":
    print(`not run: ${verdict.why}`);
}
