import Type, { type Static } from "typebox";
import { Moment, singleLine, TeamName } from "../http/app-types.ts";
import type { Member } from "./grant-store.ts";
import { longestKeyDays } from "./key-format.ts";
import type { StoredKey } from "./key-store.ts";
import { subjectPattern } from "./oidc.ts";
import { type Principal, platformRoles, teamRoles } from "./principal.ts";

export const TeamRoleName = Type.Enum([...teamRoles], {
  description:
    "viewer: reads; developer: also changes pipelines; maintainer: also the team's keys and members; approver: reads and approves",
});
export const PlatformRoleName = Type.Enum([...platformRoles], {
  description: "admin: everything; auditor: reads everything",
});

const anyRole = Type.Enum([...teamRoles, ...platformRoles], { description: "A role" });

const rolesOf = <Role extends typeof TeamRoleName | typeof PlatformRoleName>(role: Role) =>
  Type.Array(role, { minItems: 1, maxItems: 4, uniqueItems: true, description: "What is granted" });

const Subject = Type.String({ description: "`user:` and the issuer's subject, or `key:` and a key's id" });

export const UserSubject = Type.String({
  pattern: `^user:${subjectPattern}$`,
  description:
    "`user:` and what the issuer calls them (the claim `sub`), percent-encoded. The roles of a key are fixed when it is made",
});

export const KeyId = Type.String({ format: "uuid", description: "Id of an API key" });

const KeyName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: singleLine,
  description: "What people call the key: who uses it, and for what",
});

export const BootstrapBody = Type.Object(
  { name: Type.Optional(KeyName) },
  { additionalProperties: false, description: "The first administrator's key" },
);

const keyBody = <Role extends typeof TeamRoleName | typeof PlatformRoleName>(role: Role) =>
  Type.Object(
    {
      name: KeyName,
      roles: rolesOf(role),
      expiresInDays: Type.Integer({
        minimum: 1,
        maximum: longestKeyDays,
        default: 90,
        description: "Days until it opens nothing any more",
      }),
    },
    { additionalProperties: false, description: "A new API key" },
  );
export const TeamKeyBody = keyBody(TeamRoleName);
export const PlatformKeyBody = keyBody(PlatformRoleName);

const keyFields = {
  id: KeyId,
  prefix: Type.String({ description: "The part of the key that tells it from others: it is no secret" }),
  name: KeyName,
  team: Type.Optional(TeamName),
  roles: Type.Array(anyRole, { description: "What it may do; fixed" }),
  createdBy: Type.String({ description: "The subject that made it" }),
  createdAt: Moment("When it was made"),
  expiresAt: Moment("From when on it opens nothing"),
  revokedAt: Type.Optional(Moment("When it was revoked; absent while it isn't")),
  lastUsedAt: Type.Optional(Moment("When it was last used, to the minute; absent when it never was")),
};

export const KeyView = Type.Object(keyFields, { description: "An API key, without the key itself" });

export const NewKeyView = Type.Object(
  { ...keyFields, key: Type.String({ description: "The key itself: it is shown this one time" }) },
  { description: "A new API key" },
);

export function keyView(key: StoredKey): Static<typeof KeyView> {
  const { id, prefix, name, team, roles, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt } = key;
  return {
    id,
    prefix,
    name,
    ...(team === null ? {} : { team }),
    roles: [...roles],
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ...(revokedAt === null ? {} : { revokedAt: revokedAt.toISOString() }),
    ...(lastUsedAt === null ? {} : { lastUsedAt: lastUsedAt.toISOString() }),
  };
}

const memberBody = <Role extends typeof TeamRoleName | typeof PlatformRoleName>(role: Role) =>
  Type.Object(
    { roles: rolesOf(role) },
    { additionalProperties: false, description: "What somebody may do from now on, and nothing else" },
  );
export const TeamMemberBody = memberBody(TeamRoleName);
export const PlatformMemberBody = memberBody(PlatformRoleName);

export const MemberView = Type.Object(
  {
    subject: Subject,
    label: Type.Optional(Type.String({ description: "The name of a key" })),
    roles: Type.Array(anyRole, { description: "What was granted" }),
    grantedBy: Type.String({ description: "The subject that granted it" }),
    grantedAt: Moment("When it was granted"),
  },
  { description: "Somebody with roles" },
);

export function memberView({
  subject,
  label,
  roles,
  grantedBy,
  grantedAt,
}: Member): Static<typeof MemberView> {
  return {
    subject,
    ...(label === null ? {} : { label }),
    roles: [...roles],
    grantedBy,
    grantedAt: grantedAt.toISOString(),
  };
}

export const WhoamiView = Type.Object(
  {
    subject: Subject,
    label: Type.String({ description: "What people call them" }),
    platform: Type.Array(PlatformRoleName, { description: "Roles for the whole service" }),
    teams: Type.Array(
      Type.Object({ team: TeamName, roles: Type.Array(TeamRoleName, { description: "Roles for the team" }) }),
      { description: "Teams in which they have roles, by name" },
    ),
  },
  { description: "Who sent the request, and what was granted to them" },
);

export function whoamiView({ subject, label, platform, teams }: Principal): Static<typeof WhoamiView> {
  return {
    subject,
    label,
    platform: [...platform],
    teams: [...teams]
      .map(([team, roles]) => ({ team, roles: [...roles] }))
      .sort((a, b) => (a.team < b.team ? -1 : 1)),
  };
}
