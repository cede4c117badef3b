import { execFile } from "node:child_process";
import type { EngineOptions } from "./engine.ts";

// Ten thousand resources and more.
const maxStateBytes = 512 * 1024 * 1024;

/** What `pulumi stack export` writes and `import` reads. */
export interface ExportedState {
  readonly version: number;
  readonly deployment?: unknown;
}

export interface StateFile {
  /** Reads the state with its secrets encrypted; `exportStack()` would have the CLI decrypt them, and take twice as long. */
  read(): Promise<ExportedState>;
  /** Puts another state in its place. Needs no lock to be free and asks for none: nobody else may work on the stack. */
  write(state: ExportedState): Promise<void>;
}

/** A stack's state in its backend, by the CLI. Nothing of it ever lies in a file of ours. */
export function stateFile(
  { command, folder }: Pick<EngineOptions, "command" | "folder">,
  stackName: string,
  environment: Readonly<Record<string, string>>,
): StateFile {
  const run = (verb: "export" | "import", input: string) =>
    new Promise<string>((resolve, reject) => {
      const child = execFile(
        command.command,
        ["stack", verb, "--stack", stackName, "--non-interactive"],
        {
          cwd: `${folder}/project`,
          // biome-ignore lint/style/noProcessEnv: the runner's environment is the allow-listed one the supervisor gave it
          env: { ...process.env, ...environment },
          maxBuffer: maxStateBytes,
        },
        (error, stdout, stderr) => {
          if (error === null) return resolve(stdout);
          // The error's own message is the command line; what was wrong is on the other stream.
          reject(new Error(stderr.trim() || error.message, { cause: error }));
        },
      );
      // It may end before it has read everything; its end says why.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    });
  return {
    read: async () => JSON.parse(await run("export", "")) as ExportedState,
    write: async (state) => {
      await run("import", JSON.stringify(state));
    },
  };
}
