import { parseConfig } from "./config.ts";
import { openLog } from "./log.ts";
import { startService } from "./service.ts";

// The one place that reads the environment.
// biome-ignore lint/style/noProcessEnv: parsed here once and handed on
const environment = process.env;

try {
  const config = parseConfig(environment);
  const log = openLog({ level: config.logLevel, secrets: config.secrets });
  const service = await startService(config, log);
  log.info({ url: service.url, target: config.target, dataDir: config.dataDir }, "ready");
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "shutting down");
    service.close().then(
      () => log.info("closed"),
      (error: unknown) => {
        log.fatal({ err: error }, "could not shut down in an orderly way");
        process.exitCode = 1;
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
