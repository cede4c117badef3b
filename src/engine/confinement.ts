import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Not the whole project: the data folder is in it unless the service was told another.
const code = ["package.json", "node_modules", "programs", "handlers", "build", "src"]
  .map((name) => fileURLToPath(new URL(`../../${name}`, import.meta.url)))
  .filter((path) => existsSync(path));

/**
 * Flags of Node that keep what runs inside a process, programs and the libraries under them, to the code and to `folders`: it
 * can read nothing else and write nowhere else, so neither the service's secrets nor what another run has. They hold for no program
 * that the process starts. https://nodejs.org/api/permissions.html
 */
export function confinedTo(folders: readonly string[]): string[] {
  const readable = new Set([...code, ...code.map((path) => realpathSync(path)), ...folders]);
  return [
    "--permission",
    // The engine is a program of its own.
    "--allow-child-process",
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    ...folders.map((path) => `--allow-fs-write=${path}`),
  ];
}
