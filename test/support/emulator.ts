import type { TestProject } from "vitest/node";
import { startMoto } from "../../scripts/moto/moto.ts";

declare module "vitest" {
  interface ProvidedContext {
    awsUrl: string;
  }
}

/** One emulator for the whole run: files keep apart by the names of their pipelines. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const moto = await startMoto(process.env);
  project.provide("awsUrl", moto.url);
  return () => moto.close();
}
