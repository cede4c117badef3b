import { setTimeout as sleep } from "node:timers/promises";
import { listProcesses, type ProcessEntry, treeOf } from "../service/process-list.ts";
import type { Cluster } from "./cluster.ts";
import { isEngine } from "./facts/machine-facts.ts";
import type { OperationWatch, RunningOperation } from "./operation-watch.ts";
import type { Kill } from "./plan.ts";
import type { ServiceNode } from "./service-node.ts";

// An operation may run a while before it comes to a moment; other victims are at hand meanwhile.
const momentTimeoutMs = 20_000;
// A lease, its margin, and what recovery takes.
const takeoverTimeoutMs = 120_000;

/** Kills what the plan says at the moments it says, and starts killed nodes again. */
export class Killer {
  readonly #cluster: Cluster;
  readonly #watch: OperationWatch;
  readonly #tell: (line: string) => void;
  /** Nodes on their way back. */
  readonly #returning = new Set<Promise<void>>();
  #failure: unknown;

  constructor(cluster: Cluster, watch: OperationWatch, tell: (line: string) => void) {
    this.#cluster = cluster;
    this.#watch = watch;
    this.#tell = tell;
  }

  /** Waits for the kill's moment and strikes; false when there was nobody to kill. */
  async strike(kill: Kill): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    const operation = await this.#watch.next(kill.moment, momentTimeoutMs);
    if (operation === undefined) return false;
    await sleep(kill.delayMs);
    const struck = await this.#strikeAt(kill, operation);
    if (struck === undefined) return false;
    this.#tell(`${struck}; ${operation.kind} ${operation.id} on ${operation.stack} was ${kill.moment}`);
    return true;
  }

  /** Resolves when every node is back. */
  async settled(): Promise<void> {
    while (this.#returning.size > 0) await Promise.all(this.#returning);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What was struck, or undefined when it wasn't there. */
  async #strikeAt({ victim }: Kill, operation: RunningOperation): Promise<string | undefined> {
    const { api } = this.#cluster;
    const processes = await listProcesses();
    const bearers = processes.filter(({ text }) => bears(text, operation.runner));
    switch (victim) {
      case "engine":
        return killFirst(
          "engine",
          bearers.filter(({ text }) => isEngine(text)),
        );
      case "runner":
        return killFirst(
          "runner",
          bearers.filter(({ text }) => text.includes("/engine/runner.ts")),
        );
      case "api":
        if (!api.isAlive) return undefined;
        await this.#killNode(api);
        return `killed ${api.name}`;
    }
    const node = this.#workerOf(bearers) ?? this.#anyWorker();
    if (node?.pid === undefined || node.isPaused) return undefined;
    const tree = treeOf(node.pid, processes).filter(({ pid }) => pid !== node.pid);
    switch (victim) {
      case "provider":
        return killFirst(
          `provider of ${node.name}`,
          tree.filter(({ text }) => text.includes("/sandbox/plugin/main.ts")),
        );
      case "worker":
        await this.#killNode(node);
        return `killed ${node.name}`;
      case "machine":
        // Those below first: a node that sees them go has no time to notice.
        for (const { pid } of tree) killProcess(pid);
        await this.#killNode(node);
        return `killed ${node.name} with all its processes`;
      case "paused":
        // The other worker must be there to take over.
        if (this.#returning.size > 0) return undefined;
        this.#returnLater(this.#pause(node));
        return `paused ${node.name}`;
    }
  }

  async #killNode(node: ServiceNode): Promise<void> {
    await node.kill();
    this.#returnLater(node.start());
  }

  async #pause(node: ServiceNode): Promise<void> {
    const held = this.#watch.running.map(({ id, claim, node }) => ({ id, claim, node }));
    node.pause();
    await sleep(1_000);
    const mine = held.filter(({ id, claim }) =>
      this.#watch.running.some((now) => now.id === id && now.claim === claim),
    );
    const isOver = () =>
      mine.every(({ id, claim }) => !this.#watch.running.some((now) => now.id === id && now.claim === claim));
    const overtaken = await this.#watch.until(isOver, takeoverTimeoutMs);
    node.resume();
    this.#tell(`${node.name} goes on${overtaken ? "" : ", although nobody took over what it did"}`);
  }

  #returnLater(work: Promise<void>): void {
    const returning = work
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#returning.delete(returning));
    this.#returning.add(returning);
  }

  #workerOf(bearers: readonly ProcessEntry[]): ServiceNode | undefined {
    return this.#cluster.workers.find((node) => bearers.some(({ parent }) => parent === node.pid));
  }

  #anyWorker(): ServiceNode | undefined {
    return this.#cluster.workers.find((node) => node.isAlive && !node.isPaused);
  }
}

function bears(text: string, runner: string | null): boolean {
  return runner !== null && text.includes(`\0AIDLC_RUNNER=${runner}`);
}

function killFirst(what: string, [first]: readonly ProcessEntry[]): string | undefined {
  return first !== undefined && killProcess(first.pid) ? `killed ${what}` : undefined;
}

function killProcess(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    // It ended by itself in between.
    return false;
  }
}
