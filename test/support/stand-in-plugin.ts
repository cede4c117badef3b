import { writeFileSync } from "node:fs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

// What an engine starts in place of the official plugin: it asks AWS who it is, by what its environment says, writes that down,
// and then is the sandbox's provider.
const identityFile = process.argv[2] ?? "";
const { Account, Arn } = await new STSClient({ region: "eu-central-1" }).send(
  new GetCallerIdentityCommand({}),
);
writeFileSync(identityFile, JSON.stringify({ Account, Arn }));
await import("../../src/sandbox/plugin/main.ts");
