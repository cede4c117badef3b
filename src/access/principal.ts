/** What somebody may do for one team. A maintainer may do what a developer may, and everybody what a viewer may. */
export const teamRoles = ["viewer", "developer", "maintainer", "approver"] as const;
export type TeamRole = (typeof teamRoles)[number];

/** What somebody may do for the whole service: an admin everything, an auditor read everything. */
export const platformRoles = ["admin", "auditor"] as const;
export type PlatformRole = (typeof platformRoles)[number];

export type Role = TeamRole | PlatformRole;

/** Who sends a request, and what was granted to them. */
export interface Principal {
  /**
   * `user:` and the issuer's subject, `key:` and the key's id, `service` for the service itself, or `bootstrap` for the bearer of
   * the bootstrap token.
   */
  readonly subject: string;
  /** What people call them: an e-mail address, the name of a key. */
  readonly label: string;
  readonly platform: ReadonlySet<PlatformRole>;
  readonly teams: ReadonlyMap<string, ReadonlySet<TeamRole>>;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set by authentication before anything else happens, except on routes that are open to all. */
    principal: Principal;
    /** Who sends the request and what is granted to them by now; throws `unauthenticated`, or `unavailable` when nobody can tell. */
    authenticate(): Promise<Principal>;
  }
}

/** Whether this principal may know of a team, and of what is the team's. */
export function sees({ platform, teams }: Principal, team: string): boolean {
  return platform.size > 0 || teams.has(team);
}

/** The teams that this principal may know of; undefined: all of them. */
export function visibleTeams({ platform, teams }: Principal): readonly string[] | undefined {
  return platform.size > 0 ? undefined : [...teams.keys()];
}
