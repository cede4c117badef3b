import { policies } from "../../programs/policies/index.ts";
import { CONTROL_SETS, type ControlSet, type Policy } from "../../programs/policies/policy.ts";
import { phases } from "../../src/engine/phase.ts";

const introduction = `# Policies

Generated from \`programs/policies\` by \`node scripts/policies/main.ts\`; a test fails when this page is not current.

Every preview, update and reconciliation of a pipeline, and of an account's foundation, is checked against these ${policies.length}
policies before anything is applied. The program is rehearsed in the runner, without engine or AWS: everything that it would
register is known, with ids and ARNs in AWS's form for what doesn't exist yet. What breaks a **mandatory** policy is refused with
\`policy_refused\`, and nothing is created; a preview still tells its whole plan. An **advisory** breach is told and passes. What even
a rehearsal can't know is no breach; after an update the same policies judge the state as it was applied.

- The findings are in the operation (\`result.findings\`) and among its events (type \`policy\`): policy, severity, resource, what is
  wrong, how to mend it.
- \`GET /v1/policies\` lists the policies with the levels in force. \`AIDLC_ENFORCED_POLICIES\` names policies that the organisation
  makes mandatory where a profile only advises them.
- \`PUT /v1/teams/{team}/pipelines/{pipeline}/policy-exceptions/{policy}\` lets one pipeline break one policy, everywhere or in one
  resource: with a \`reason\`, until a date at most a year ahead (\`expiresAt\`). It takes the role \`approver\`
  (\`approvedBy\`), and somebody else than the pipeline's owner or than who asked for its spec as it is. The finding shows
  the exception that let it pass; an expired one lets nothing pass.
- By hand: \`pulumi preview --policy-pack programs/policies/pack\` checks the same policies at the end of the preview (see [pipeline.md](pipeline.md)).

Controls are those of AWS Config (names of managed rules), ${CONTROL_SETS.fsbp} (FSBP),
${CONTROL_SETS.cis} (CIS) and ${CONTROL_SETS.nist} (NIST).
`;

const shortNames: Readonly<Record<ControlSet, string>> = {
  config: "Config",
  fsbp: "FSBP",
  cis: "CIS",
  nist: "NIST",
};

/** The documentation of the policies: one table per phase. */
export function policyPage(): string {
  const sections = phases.map((phase) => {
    const rows = policies.filter((policy) => policy.phase === phase).map(row);
    const title = phase[0]?.toUpperCase() + phase.slice(1);
    return `## ${title}\n\n| Policy | What holds, and why | Severity | learning | production | Remedy | Controls |\n|---|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return [introduction, ...sections].join("\n");
}

function row({ id, title, text, severity, levels, remedy, controls }: Policy): string {
  const served = Object.entries(controls).map(
    ([set, ids]) => `${shortNames[set as ControlSet]} ${ids.join(", ")}`,
  );
  const cells = [
    `\`${id}\``,
    `**${title}.** ${text}`,
    severity,
    levels.learning,
    levels.production,
    remedy,
    served.join("; "),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
