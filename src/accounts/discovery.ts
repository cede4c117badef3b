import type { CloudControlClient } from "@aws-sdk/client-cloudcontrol";
import type { AwsAccount } from "../../programs/inputs.ts";
import { foundationNames } from "../../programs/names.ts";
import type { Adopted } from "../../programs/singletons.ts";
import { foundationTags, TAG } from "../../programs/tags.ts";
import { AppError } from "../errors.ts";
import { type FoundResource, getResource, listResources } from "./cloud-control.ts";
import type { SingletonRecord } from "./foundations.ts";
import { SINGLETON_KINDS, type SingletonKind } from "./singleton-kinds.ts";

/** What is known of a foundation before the account is looked at. */
export interface KnownFoundation {
  readonly account: AwsAccount;
  readonly securityServices: boolean;
  /** What its registrations name. */
  readonly existing: Adopted;
  /** What was found the last time. */
  readonly before: readonly SingletonRecord[];
  /** What its stack has on record. */
  readonly recorded: readonly RecordedResource[];
}

export interface RecordedResource {
  readonly type: string;
  readonly awsId: string | null;
  readonly outputs: unknown;
}

export interface Discovery {
  readonly singletons: readonly Omit<SingletonRecord, "since">[];
  /** Types that AWS would not list. */
  readonly unlisted: readonly string[];
}

/**
 * Looks up the account-wide singletons and tells whose they are: the foundation's own, by its state, its names and its tags, or
 * somebody else's, to be used as they are. What registrations name counts as somebody else's without being looked up. Only
 * reads; throws `unavailable` when AWS refuses to answer, because a guess could take what isn't ours.
 */
export async function discoverSingletons(
  client: CloudControlClient,
  known: KnownFoundation,
): Promise<Discovery> {
  const named = Object.entries(known.existing).map(([singleton, id]) => ({
    singleton: singleton as SingletonRecord["singleton"],
    ownership: "adopted" as const,
    id,
  }));
  const kinds = SINGLETON_KINDS.filter(
    ({ singleton, withSecurityServices }) =>
      known.existing[singleton] === undefined && (known.securityServices || withSecurityServices !== true),
  );
  const looks = await Promise.all(kinds.map((kind) => look(client, kind, known)));
  return {
    singletons: [...named, ...looks.flatMap(({ record }) => (record === undefined ? [] : [record]))],
    unlisted: looks.flatMap(({ unlisted }) => (unlisted === undefined ? [] : [unlisted])),
  };
}

interface Look {
  readonly record?: Omit<SingletonRecord, "since">;
  readonly unlisted?: string;
}

async function look(client: CloudControlClient, kind: SingletonKind, known: KnownFoundation): Promise<Look> {
  const { singleton, typeName } = kind;
  const found = await candidates(client, kind, known.account).catch((error: unknown) => {
    throw refusal(typeName, error);
  });
  if (found === "unsupported") return { unlisted: typeName };
  const usable = found.flatMap((resource) => {
    const id = kind.usableId === undefined ? resource.identifier : kind.usableId(resource);
    return id === undefined ? [] : [{ resource, id }];
  });
  // The own one first: beside it, somebody else's is none of the foundation's business.
  const own = usable.find(({ resource, id }) => isOwn(kind, resource, id, known));
  if (own !== undefined) return { record: { singleton, ownership: "owned", id: own.id } };
  const [other] = usable;
  if (other !== undefined) return { record: { singleton, ownership: "adopted", id: other.id } };
  // The program will make one.
  return { record: { singleton, ownership: "owned", id: null } };
}

async function candidates(
  client: CloudControlClient,
  { typeName, identifier, readEach }: SingletonKind,
  account: AwsAccount,
): Promise<readonly FoundResource[] | "unsupported"> {
  if (identifier !== undefined) {
    const one = await getResource(client, typeName, identifier(namesOf(account)));
    return one === "unsupported" ? one : one === undefined ? [] : [one];
  }
  const listed = await listResources(client, typeName);
  if (listed === "unsupported" || readEach === undefined) return listed;
  const read = await Promise.all(listed.map((item) => getResource(client, typeName, item.identifier)));
  return read.flatMap((item) => (item === undefined || item === "unsupported" ? [] : [item]));
}

function isOwn(kind: SingletonKind, found: FoundResource, id: string, known: KnownFoundation): boolean {
  const ids = [found.identifier, id];
  const recorded = known.recorded.filter(({ type }) => type === kind.pulumiType);
  if (recorded.some((resource) => ids.some((name) => namesIn(resource).includes(name)))) return true;
  if (kind.isOwn?.(found, namesOf(known.account)) === true) return true;
  return (
    kind.isSticky === true &&
    known.before.some(({ singleton, ownership }) => singleton === kind.singleton && ownership === "owned")
  );
}

function namesIn({ awsId, outputs }: RecordedResource): unknown[] {
  const { arn, name, cloudwatchRoleArn } = (outputs ?? {}) as Readonly<Record<string, unknown>>;
  return [awsId, arn, name, cloudwatchRoleArn];
}

function namesOf(account: AwsAccount) {
  const foundation = foundationTags(account)[TAG.foundation] ?? "";
  return { ...foundationNames(account), accountId: account.accountId, foundation };
}

function refusal(typeName: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.name : "an unknown error";
  return new AppError(
    "unavailable",
    `The account could not be asked which ${typeName} it has (${reason}): let the account's role call cloudformation:ListResources and cloudformation:GetResource and read that type, then repeat it`,
    { cause },
  );
}
