import { fork } from "node:child_process";
import type { Validation } from "../../handlers/dataset/validate-data.ts";
import type { FileValidation } from "./validate-file.ts";

const program = new URL("./validate-file.ts", import.meta.url);

// A gigabyte takes some ten seconds; what takes this long hangs.
const limitMs = 15 * 60_000;

/** Validates a file in a process of its own. Rejects where that could not be done, for whatever reason; then it can be tried again. */
export function validateInChild(request: FileValidation, signal: AbortSignal): Promise<Validation> {
  return new Promise((resolve, reject) => {
    const child = fork(program, {
      // Whatever the service was started with is none of its business.
      execArgv: [],
      env: { HOME: request.workFolder },
      serialization: "advanced",
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
      killSignal: "SIGKILL",
    });
    child.once("message", (answer: { validation?: Validation; failure?: string }) => {
      if (answer.validation === undefined) reject(new Error(answer.failure));
      else resolve(answer.validation);
    });
    child.once("error", reject);
    child.once("exit", (code, killedBy) =>
      reject(new Error(`The validation ended with ${killedBy ?? code}`)),
    );
    child.send(request);
  });
}
