import { type Finding, Unreadable } from "./text-file.ts";

export const NOT_IN_TIME: Finding = {
  check: "size",
  code: "not_in_time",
  message: "The file could not be read in the time there is",
};

const DAMAGED: Finding = {
  check: "structure",
  code: "unreadable",
  message: "The file is damaged, or not what its format allows",
};

/** Whether an error of reading and writing comes from what stands in the file, such as a place beyond its own end, and not from the disk. */
export const isOfContent = (message: string): boolean =>
  /Could not read enough bytes|Failed to read Parquet file|bitpacked data/.test(message);

/**
 * What an error of DuckDB says about the file. Its client tells the kind of an error only by how its message begins. Errors that the
 * file is not the cause of, such as a full disk, are returned as they are.
 */
export function explainedByEngine(error: unknown): unknown {
  if (error instanceof Unreadable || !(error instanceof Error)) return error;
  const kind = /^(?:Query Error: )?([A-Za-z -]+?) Error/.exec(error.message)?.[1];
  switch (kind) {
    case "Out of Memory":
      return new Unreadable(
        {
          check: "size",
          code: "too_much_memory",
          message:
            "The file takes more memory to read than there is: it has huge values, pages or row groups",
        },
        error,
      );
    case "INTERRUPT":
    case "Interrupt":
      return new Unreadable(NOT_IN_TIME, error);
    case "Invalid Input":
    case "Invalid":
    case "Serialization":
    case "Conversion":
    case "Not implemented":
    // DuckDB was surprised by what it read. It would be again.
    case "INTERNAL":
    case "FATAL":
      return new Unreadable(DAMAGED, error);
    case "IO":
      return isOfContent(error.message) ? new Unreadable(DAMAGED, error) : error;
    default:
      return error;
  }
}
