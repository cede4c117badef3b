import { dirname } from "node:path";
import { askChild, ChildCrashed, ChildTooSlow, childBeside } from "../runtime/child-process.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Findings } from "./findings.ts";
import { OutOfTime } from "./limits.ts";
import type { ParquetAnswer, ParquetRequest } from "./parquet.ts";
import { Unsearchable } from "./records.ts";

const CHILD = childBeside(import.meta.filename);

/** Of an invocation's fifteen minutes. 8 GiB take some five. */
const LONGEST_MS = 600_000;
/** To store how far the erasure is. */
const MARGIN_MS = 20_000;

export interface ParquetReaderOptions {
  readonly env: Environment;
  readonly memoryLimitMb: number;
  readonly remainingMs: () => number;
}

/**
 * Has Parquet files read in a process of their own each: a damaged one can end the process that decodes it, which would be the
 * function's, in every invocation. What a process leaves behind lies beside its file. Throws `Unsearchable`, `OutOfTime`.
 */
export class ParquetReader {
  readonly #options: ParquetReaderOptions;

  constructor(options: ParquetReaderOptions) {
    this.#options = options;
  }

  search(file: string, { subject, recordIdentifier }: ParquetRequest["search"]): Promise<Findings> {
    return this.#ask({ file, search: { subject, recordIdentifier } });
  }

  async rewrite(file: string, { subject }: ParquetRequest["search"], target: string): Promise<void> {
    await this.#ask({ file, search: { subject }, target });
  }

  async #ask(request: Omit<ParquetRequest, "memoryLimitMb">): Promise<Findings> {
    const { env, memoryLimitMb, remainingMs } = this.#options;
    const left = remainingMs() - MARGIN_MS;
    const limitMs = Math.min(LONGEST_MS, left);
    try {
      const answer = await askChild<ParquetAnswer>(
        CHILD,
        { ...request, memoryLimitMb },
        { env, folder: dirname(request.file), limitMs },
      );
      if ("findings" in answer) return answer.findings;
      throw new Unsearchable(answer.unsearchable);
    } catch (error) {
      if (error instanceof ChildCrashed) {
        throw new Unsearchable("It is a Parquet file that can't be decoded", { cause: error });
      }
      if (!(error instanceof ChildTooSlow)) throw error;
      if (left < LONGEST_MS) throw new OutOfTime("The rest is for the next invocation", { cause: error });
      throw new Unsearchable("It is a Parquet file that can't be read in ten minutes", { cause: error });
    }
  }
}
