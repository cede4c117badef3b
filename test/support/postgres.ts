import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { migrate } from "../../src/postgres/migrations.ts";
import { openPool } from "../../src/postgres/pool.ts";

declare module "vitest" {
  interface ProvidedContext {
    databaseUrl: string;
  }
}

export const templateDatabase = "aidlc_template";

/** One server for the whole run; a migrated template database that each test file copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "aidlc-test-postgres-"));
  const server = await startEmbeddedPostgres(folder);
  const admin = openPool(server.url, 1);
  await admin.query(`create database ${templateDatabase}`);
  await admin.end();
  const template = openPool(databaseUrl(server.url, templateDatabase), 1);
  await migrate(template);
  await template.end();
  project.provide("databaseUrl", server.url);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}
