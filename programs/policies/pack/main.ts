import { PolicyPack } from "@pulumi/policy";
import { policies } from "../index.ts";
import { stackPolicy } from "./stack-policy.ts";

// Its server, whose port it prints, keeps the process alive until the engine ends it.
new PolicyPack("aidlc", { policies: policies.map(stackPolicy) });
