import type { Control } from "../../programs/frameworks.ts";
import type { Alert, AlertSeverity } from "../runtime/alerts.ts";
import type { Finding, State } from "./judge.ts";

/**
 * What people are told of a reading that is kept at `document`: every resource that is not as the spec asks for it. Undefined where there
 * is none.
 */
export function alertOf(
  controls: readonly { readonly control: Control; readonly resources: readonly Finding[] }[],
  document: string,
): { readonly severity: AlertSeverity; readonly alert: Alert } | undefined {
  const lacking: Partial<Record<Control, readonly Finding[]>> = {};
  for (const { control, resources } of controls) {
    const found = resources.filter(({ state, isSpecified }) => state !== "effective" && isSpecified !== true);
    if (found.length > 0) lacking[control] = found;
  }
  const findings = Object.values(lacking).flat();
  if (findings.length === 0) return undefined;
  const are = (...states: readonly State[]) => findings.some(({ state }) => states.includes(state));
  const names = Object.keys(lacking).join(", ");
  return {
    // By resource: a control that is partial may lack the very thing that keeps strangers out of a bucket.
    severity: are("missing") ? "critical" : "warning",
    alert: {
      title: are("missing", "partial")
        ? `Controls are not in effect: ${names}`
        : `Controls could not be read: ${names}`,
      code: "controls_not_in_effect",
      detail: { document, controls: lacking },
      remedy: [
        ...(are("missing", "partial")
          ? [
              "What was changed by hand, GET …/drift names and POST …/reconciliations brings back; what is in no stack, such as a" +
                " subscription that nobody confirmed, a person brings back",
            ]
          : []),
        ...(are("unknown")
          ? [
              "Invoke the function evidence again for what could not be read; if it still can't, look at who changed the role of" +
                " evidence or the policies of what it reads",
            ]
          : []),
      ].join(". "),
    },
  };
}
