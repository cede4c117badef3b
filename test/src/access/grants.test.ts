import { describe, expect, it } from "vitest";
import { assertMayGrant, changedRoles, rolesOf } from "../../../src/access/grants.ts";
import { type Principal, platformRoles, type Role, teamRoles } from "../../../src/access/principal.ts";

const somebody = (
  platform: readonly string[],
  teams: Readonly<Record<string, readonly string[]>> = {},
): Principal => ({
  subject: "user:ada",
  label: "ada",
  ...rolesOf([
    { team: null, roles: platform },
    ...Object.entries(teams).map(([team, roles]) => ({ team, roles })),
  ]),
});

/** The roles that a granter may grant or take, one by one. */
function grantable(granter: Principal, team: string | null): Role[] {
  return [...teamRoles, ...platformRoles].filter((role) => {
    try {
      assertMayGrant(granter, { team, roles: [role] });
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: "forbidden", message: expect.stringContaining(`"${role}"`) });
      return false;
    }
  });
}

describe("who may grant what", () => {
  it("an admin every role", () => {
    expect(grantable(somebody(["admin"]), "research")).toEqual([...teamRoles, ...platformRoles]);
    expect(grantable(somebody(["admin"]), null)).toEqual([...teamRoles, ...platformRoles]);
  });

  it("a maintainer the roles of their own team but approver, even one who is approver too", () => {
    const maintainer = somebody([], { research: ["maintainer", "approver"] });
    expect(grantable(maintainer, "research")).toEqual(["viewer", "developer", "maintainer"]);
    expect(grantable(maintainer, "fraud")).toEqual([]);
    expect(grantable(maintainer, null)).toEqual([]);
  });

  it("an auditor nothing, nor anybody else in a team", () => {
    const others = ["viewer", "developer", "approver"].map((role) => somebody([], { research: [role] }));
    for (const granter of [somebody(["auditor"]), ...others]) {
      expect(grantable(granter, "research")).toEqual([]);
      expect(grantable(granter, null)).toEqual([]);
    }
  });

  it("nothing of several roles when one of them is not theirs to grant", () => {
    const maintainer = somebody([], { research: ["maintainer"] });
    expect(() => assertMayGrant(maintainer, { team: "research", roles: ["viewer", "approver"] })).toThrow(
      '"approver"',
    );
  });
});

it("roles change by what comes and by what goes", () => {
  expect(changedRoles(["viewer", "approver"], ["approver", "developer"])).toEqual(["viewer", "developer"]);
  expect(changedRoles(["viewer"], ["viewer"])).toEqual([]);
});

it("a role that this version doesn't know grants nothing, nor does one in the wrong place", () => {
  const { platform, teams } = rolesOf([
    { team: null, roles: ["owner", "maintainer"] },
    { team: "research", roles: ["admin", "viewer"] },
  ]);
  expect([...platform]).toEqual([]);
  expect([...(teams.get("research") ?? [])]).toEqual(["viewer"]);
});
