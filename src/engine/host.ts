import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Names the machine, its boot and the namespace of processes that this one is in: processes on the same host can see, and end, each
 * other. Where that isn't told, outside of Linux, the machine's name must do.
 */
export function hostId(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
