import * as pulumi from "@pulumi/pulumi";
import { type Phase as PhaseName, phaseTags, type Tags } from "../tags.ts";

const TYPES = {
  architecture: "aidlc:phase:Architecture",
  infrastructure: "aidlc:phase:Infrastructure",
  deployment: "aidlc:phase:Deployment",
  learning: "aidlc:phase:Learning",
  compliance: "aidlc:phase:Compliance",
} as const satisfies Record<PhaseName, string>;

/** A phase of the life cycle. Its type stands in the URN of everything inside, which is how events get their phase. */
export abstract class Phase extends pulumi.ComponentResource {
  /** For every resource inside that takes tags. */
  protected readonly tags: Tags;

  constructor(phase: PhaseName, opts: pulumi.ComponentResourceOptions) {
    super(TYPES[phase], phase, {}, opts);
    this.tags = phaseTags(phase);
  }
}
