import type { Reader } from "./load.ts";
import { pipelineName, type TeamKey } from "./seed.ts";

export const endpoints = ["pipelines", "operations", "status"] as const;
export type Endpoint = (typeof endpoints)[number];
/** Those that page through something that grows with the fleet. */
export const lists: readonly Endpoint[] = ["pipelines", "operations"];

/** What each person asks of an endpoint: about their own team, as their role lets them. */
export function readersOf(endpoint: Endpoint, keys: readonly TeamKey[], pipelinesPerTeam: number): Reader[] {
  return keys.map(({ team, token }, index) => ({
    token,
    paths: paths(endpoint, team, index, pipelinesPerTeam),
  }));
}

// Statuses that one person asks for before they ask for the first one again.
const statuses = 25;

function paths(endpoint: Endpoint, team: string, index: number, pipelinesPerTeam: number): string[] {
  const pipelines = `/v1/teams/${team}/pipelines`;
  switch (endpoint) {
    case "pipelines":
      return [pipelines, `${pipelines}?cursor=${cursorAfter(pipelineName(pipelinesPerTeam / 2))}`];
    case "operations": {
      const operations = `/v1/operations?team=${team}`;
      return [operations, `${operations}&kind=update`, `${operations}&pipeline=${pipelineName(1 + index)}`];
    }
    case "status":
      return Array.from({ length: statuses }, (_, step) => {
        const number = 1 + ((index + step * 4) % pipelinesPerTeam);
        return `${pipelines}/${pipelineName(number)}/status`;
      });
  }
}

function cursorAfter(name: string): string {
  return Buffer.from(JSON.stringify([name])).toString("base64url");
}
