import { runJob } from "./run-job.ts";

// biome-ignore lint/style/noProcessEnv: the entry reads the environment
void runJob(process.env, process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
