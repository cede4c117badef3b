import { AppError } from "../errors.ts";
import { type PlatformRole, type Principal, platformRoles, type TeamRole, teamRoles } from "./principal.ts";

/** Roles of one subject for one team, or for the platform (`team` null). */
export interface Grant {
  readonly team: string | null;
  readonly roles: readonly string[];
}

// What maintainers may give to others and take from them; `approver` is for admins, so that nobody approves their own changes.
const grantedByMaintainers: ReadonlySet<string> = new Set<TeamRole>(["viewer", "developer", "maintainer"]);

/** The roles of a subject as the database holds them; a role that this version doesn't know grants nothing. */
export function rolesOf(grants: readonly Grant[]): Pick<Principal, "platform" | "teams"> {
  const platform = new Set<PlatformRole>();
  const teams = new Map<string, ReadonlySet<TeamRole>>();
  for (const { team, roles } of grants) {
    if (team === null)
      for (const role of platformRoles.filter((known) => roles.includes(known))) platform.add(role);
    else teams.set(team, new Set(teamRoles.filter((known) => roles.includes(known))));
  }
  return { platform, teams };
}

/**
 * Throws `forbidden` unless `granter` may give every one of these roles, or take it away: an admin any, a maintainer those of
 * their team but `approver`.
 */
export function assertMayGrant(granter: Principal, { team, roles }: Grant): void {
  if (granter.platform.has("admin")) return;
  const maintains = team !== null && granter.teams.get(team)?.has("maintainer") === true;
  const refused = roles.filter((role) => !(maintains && grantedByMaintainers.has(role)));
  if (refused.length === 0) return;
  throw new AppError(
    "forbidden",
    `Only an admin grants or takes ${refused.map((role) => `"${role}"`).join(", ")}: ask one`,
  );
}

/** The roles that one list has and the other has not. */
export function changedRoles(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...before.filter((role) => !after.includes(role)),
    ...after.filter((role) => !before.includes(role)),
  ];
}
