import type { LineageGap } from "../models/lineage-document.ts";

/** Collects what a lineage lacks. */
export class Gaps {
  readonly found: LineageGap[] = [];

  /** `detail` names places, never content. */
  add(code: string, detail: string): void {
    this.found.push({ code, detail });
  }
}
