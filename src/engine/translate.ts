import type { EngineEvent as PulumiEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { digestOf } from "../digest.ts";
import { type Redact, redactValue } from "../redaction.ts";
import { saysProviderLost } from "./diagnostics.ts";
import type { UnansweredStep } from "./pending.ts";
import { isAwsType, parseUrn } from "./phase.ts";
import type { PlannedResource } from "./plan.ts";
import { valueAtPath } from "./property-path.ts";
import type { Action, ChangeKind, EngineEvent, PropertyChange, Step, TimedEvent } from "./protocol.ts";

type StepChanges = Readonly<Record<string, number>>;

/** What a run told so far, besides its events. */
export interface Findings {
  /** By URN. */
  readonly steps: readonly Step[];
  /** For previews: what the steps are about, with all of its inputs and nothing masked but what Pulumi declares secret. */
  readonly plan: readonly PlannedResource[];
  readonly changes: StepChanges;
  readonly errors: readonly { readonly message: string; readonly urn?: string }[];
  /** Whether a command of the engine's began and never told its end: it was killed. */
  readonly engineLost: boolean;
  /**
   * What the provider was asked for and never answered: it disappeared, and the engine takes that for a refusal. Where one step tells
   * so, the same holds for all that are under way.
   */
  readonly unanswered: readonly UnansweredStep[];
}

export interface Translator {
  /** Our event for one of the engine's, or undefined when it says nothing a reader needs. */
  translate(event: PulumiEvent): TimedEvent | undefined;
  findings(): Findings;
}

const silentActions = new Set(["same", "read", "refresh", "read-replacement", "discard"]);

/** Turns the engine's events into ours: secrets masked, durations measured, property changes resolved to values. */
export function translator(action: Action, redact: Redact): Translator {
  const started = new Map<string, number>();
  const steps = new Map<string, Step>();
  const plan = new Map<string, PlannedResource>();
  const errors: { message: string; urn?: string }[] = [];
  const outcomes = new Map<string, string>();
  const unanswered: UnansweredStep[] = [];
  const underWay = new Map<string, UnansweredStep>();
  let running = 0;

  const resourceEvent = (
    metadata: StepEventMetadata,
    status: "started" | "done" | "failed",
    atMs: number,
  ) => {
    const key = `${metadata.urn}|${metadata.op}`;
    if (status === "started") {
      started.set(key, atMs);
      underWay.set(key, metadata);
    } else {
      underWay.delete(key);
    }
    if (
      status === "failed" &&
      errors.some(({ urn, message }) => urn === metadata.urn && saysProviderLost(message))
    )
      unanswered.push(metadata);
    const { type, name, phase } = parseUrn(metadata.urn);
    // A preview has no "done" for what it only plans.
    const counts = status === "done" || (action === "preview" && status === "started");
    if (counts && isAwsType(type)) countOutcome(metadata);
    if (silentActions.has(metadata.op) && status !== "failed") return undefined;
    const propertyChanges = changesOf(metadata, redact);
    if (isPlanned(action, status) && isAwsType(type)) {
      const planned = steps.get(metadata.urn);
      steps.set(metadata.urn, {
        action: actionOf(metadata.op),
        urn: metadata.urn,
        type,
        name,
        ...(phase === undefined ? {} : { phase }),
        ...(metadata.old?.id ? { awsId: metadata.old.id } : {}),
        // A replacement is several steps of the engine, of which only some tell why.
        changes: propertyChanges.length > 0 ? propertyChanges : (planned?.changes ?? []),
        ...(action === "preview" ? inputsDigestOf(metadata, planned) : {}),
      });
      if (action === "preview") plan.set(metadata.urn, { ...plan.get(metadata.urn), ...plannedOf(metadata) });
    }
    const since = started.get(key);
    const event: EngineEvent = {
      type: "resource",
      status,
      action: metadata.op,
      urn: metadata.urn,
      resourceType: type,
      name,
      ...(status !== "started" && since !== undefined ? { durationMs: atMs - since } : {}),
      ...(propertyChanges.length > 0 && status !== "failed" ? { changes: propertyChanges } : {}),
    };
    return { event, phase };
  };

  // The engine's own summary also counts components, providers and the stack; ours counts what exists on AWS, each once.
  const countOutcome = ({ urn, op }: StepEventMetadata) => {
    if (actionOf(op) === "replace") outcomes.set(urn, "replace");
    // What a refresh found about a resource must not be hidden by the program's own "same" for it.
    else if (op !== "refresh" && !(op === "same" && outcomes.has(urn))) outcomes.set(urn, op);
  };

  const changes = (): StepChanges => {
    const counts: Record<string, number> = {};
    for (const outcome of outcomes.values()) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };

  const diagnosticEvent = (message: string, severity: "warning" | "error", urn: string | undefined) => {
    const text = redact(stripColor(message)).trim();
    if (severity === "error") errors.push({ message: text, ...(urn ? { urn } : {}) });
    const event: EngineEvent = { type: "diagnostic", severity, message: text, ...(urn ? { urn } : {}) };
    return { event, phase: urn ? parseUrn(urn).phase : undefined };
  };

  const translated = (event: PulumiEvent, atMs: number) => {
    // Every command tells its begin by the first of these, and its end, however it came about, by the second.
    if (event.preludeEvent) running += 1;
    if (event.cancelEvent) running -= 1;
    if (event.resourcePreEvent) return resourceEvent(event.resourcePreEvent.metadata, "started", atMs);
    if (event.resOutputsEvent) return resourceEvent(event.resOutputsEvent.metadata, "done", atMs);
    if (event.resOpFailedEvent) return resourceEvent(event.resOpFailedEvent.metadata, "failed", atMs);
    if (event.summaryEvent) {
      const durationMs = event.summaryEvent.durationSeconds * 1000;
      return {
        event: { type: "summary", changes: changes(), durationMs } satisfies EngineEvent,
        phase: undefined,
      };
    }
    const diagnostic = event.diagnosticEvent;
    if (
      diagnostic &&
      !diagnostic.ephemeral &&
      (diagnostic.severity === "warning" || diagnostic.severity === "error")
    ) {
      return diagnosticEvent(diagnostic.message, diagnostic.severity, diagnostic.urn);
    }
    return undefined;
  };

  return {
    translate: (event) => {
      const at = new Date();
      const result = translated(event, at.getTime());
      if (result === undefined) return undefined;
      return { at, event: result.event, ...(result.phase === undefined ? {} : { phase: result.phase }) };
    },
    findings: () => ({
      steps: [...steps.values()].sort(byUrn),
      plan: [...plan.values()].sort(byUrn),
      changes: changes(),
      errors,
      engineLost: running > 0,
      unanswered: unanswered.length > 0 ? [...unanswered, ...underWay.values()] : [],
    }),
  };
}

function byUrn(a: { readonly urn: string }, b: { readonly urn: string }): number {
  return a.urn < b.urn ? -1 : a.urn > b.urn ? 1 : 0;
}

function inputsDigestOf({ new: next }: StepEventMetadata, planned: Step | undefined) {
  const inputsDigest = next?.inputs === undefined ? planned?.inputsDigest : digestOf(next.inputs);
  return inputsDigest === undefined ? {} : { inputsDigest };
}

function plannedOf({ urn, op, old, new: next }: StepEventMetadata): PlannedResource {
  const { type, name } = parseUrn(urn);
  return {
    action: actionOf(op),
    urn,
    type,
    name,
    ...(old?.id ? { awsId: old.id } : {}),
    ...(old?.inputs ? { before: old.inputs } : {}),
    ...(next?.inputs ? { after: next.inputs } : {}),
  };
}

/** The engine's steps of a replacement under one name. */
function actionOf(op: string): string {
  return op === "create-replacement" || op === "delete-replaced" ? "replace" : op;
}

/** A preview tells its plan before each step; a drift check tells what it found after reading the resource. */
function isPlanned(action: Action, status: "started" | "done" | "failed"): boolean {
  return (action === "preview" && status === "started") || (action === "drift" && status === "done");
}

function changesOf(metadata: StepEventMetadata, redact: Redact): PropertyChange[] {
  const { old, new: next } = metadata;
  return Object.entries(metadata.detailedDiff ?? {}).map(([path, diff]) => {
    const before = valueAtPath(diff.inputDiff ? old?.inputs : old?.outputs, path);
    const after = valueAtPath(next?.inputs, path) ?? valueAtPath(next?.outputs, path);
    return {
      path,
      kind: diff.diffKind as ChangeKind,
      ...(before === undefined ? {} : { before: redactValue(before, redact) }),
      ...(after === undefined ? {} : { after: redactValue(after, redact) }),
    };
  });
}

// Diagnostics carry the engine's own colour marks, such as <{%fg 1%}>.
function stripColor(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "");
}
