import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface PipelineRef {
  readonly team: string;
  readonly name: string;
}

/** Where the sandbox keeps what is in a pipeline's buckets: a folder per bucket, which people can look into. */
export class BucketFolders {
  readonly #root: string;

  constructor(dataDir: string) {
    this.#root = join(dataDir, "buckets");
  }

  of({ team, name }: PipelineRef): string {
    return join(this.#root, team, name);
  }

  /** Files that are dropped here are taken. */
  raw(pipeline: PipelineRef): string {
    return join(this.of(pipeline), "raw");
  }

  /** Files that were taken and are not moved yet, each named by its id first. */
  taken(pipeline: PipelineRef): string {
    return join(this.raw(pipeline), ".taken");
  }

  /** Where a file goes once it has its verdict. */
  judged(pipeline: PipelineRef, outcome: "accepted" | "quarantined"): string {
    return join(this.of(pipeline), outcome === "accepted" ? "validated" : "quarantine");
  }

  async prepare(pipeline: PipelineRef): Promise<void> {
    const folders = [
      this.taken(pipeline),
      this.judged(pipeline, "accepted"),
      this.judged(pipeline, "quarantined"),
    ];
    for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  }

  /** The pipelines that have folders. */
  async pipelines(): Promise<PipelineRef[]> {
    const found: PipelineRef[] = [];
    for (const team of await foldersIn(this.#root)) {
      for (const name of await foldersIn(join(this.#root, team))) found.push({ team, name });
    }
    return found;
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
