import type { CloudControlClient } from "@aws-sdk/client-cloudcontrol";
import { EDGE_REGION } from "../../programs/serving/edge/region.ts";
import { foundationTags, TAG } from "../../programs/tags.ts";
import { listResources } from "../accounts/cloud-control.ts";
import type { AccountClients } from "../aws/account-clients.ts";
import { listTagged, type TaggedResource, type TaggingClients } from "../aws/tagged-resources.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import { parseUrn } from "../engine/phase.ts";
import type { PendingCreate, Whereabouts } from "../engine/protocol.ts";
import type { Operation } from "../operations/store.ts";
import { ruleOf } from "./resource-ids.ts";

export interface LookUpRequest {
  readonly account: TeamAccount;
  readonly operation: Operation;
  readonly creates: readonly PendingCreate[];
  /** Ids and ARNs of what the stack's state has already. */
  readonly known: readonly string[];
}

/** Finds out what became of creations that AWS never answered; in their order. Throws when AWS can't be asked. */
export type Whereabout = (request: LookUpRequest) => Promise<readonly Whereabouts[]>;

export interface LookUpClients {
  readonly tagging: TaggingClients;
  readonly cloudControl: AccountClients<CloudControlClient>;
}

/** Asks AWS: by ids that follow from inputs, by owner tags, or by what there is of a type. */
export function whereaboutsOnAws(clients: LookUpClients): Whereabout {
  return async (request) => {
    const tagged = remembered((region: string) =>
      listTagged(clients.tagging, request.account, ownerTags(request), region),
    );
    return Promise.all(
      request.creates.map(async (create) => {
        const found = await whereaboutsOf(clients, request, tagged, create);
        return found.state === "candidate" ? inItsRegion(found, request, create) : found;
      }),
    );
  };
}

/** The provider imports from another region than its own by its name behind the id. */
function inItsRegion(
  { id, ...found }: Whereabouts & { readonly state: "candidate" },
  { account }: LookUpRequest,
  { inputs: { region } }: PendingCreate,
): Whereabouts {
  const isElsewhere = typeof region === "string" && region !== account.aws.region;
  return { ...found, id: isElsewhere ? `${id}@${region}` : id };
}

async function whereaboutsOf(
  { cloudControl }: LookUpClients,
  { account, known }: LookUpRequest,
  tagged: (region: string) => Promise<readonly TaggedResource[]>,
  create: PendingCreate,
): Promise<Whereabouts> {
  const { type, inputs } = create;
  const region = typeof inputs.region === "string" ? inputs.region : account.aws.region;
  const rule = ruleOf(type);
  if (rule === undefined) {
    return unclear(create, `The service has no rule for finding resources of type ${type}`, []);
  }
  switch (rule.by) {
    case "inputs":
      return { state: "candidate", id: rule.id(inputs, { accountId: account.aws.accountId, region }) };
    case "properties":
      return { state: "candidate", id: parseUrn(create.urn).name, outputs: inputs };
    case "repetition":
      return { state: "absent" };
    case "tags": {
      const resources = await tagged(rule.isGlobal === true ? EDGE_REGION : region);
      const ids = resources.flatMap(({ arn, tags }) => {
        const id = rule.idIn(arn, inputs);
        const isNew = id !== undefined && !known.includes(arn) && !known.includes(id);
        return isNew && bears(tags, inputs) ? [id] : [];
      });
      return theOne(create, ids);
    }
    case "list": {
      const found = await listResources(cloudControl(account), rule.typeName, rule.model?.(inputs));
      if (found === "unsupported" && rule.repeatable === true) return { state: "absent" };
      if (found === "unsupported")
        return unclear(create, `AWS doesn't list resources of type ${rule.typeName}`, []);
      const fitting = found.filter(
        ({ identifier, properties }) =>
          !known.includes(rule.idOf(identifier, inputs)) && rule.fits(properties, inputs),
      );
      const ids = fitting.map(({ identifier }) => rule.idOf(identifier, inputs));
      return rule.anyWillDo === true && ids[0] !== undefined
        ? { state: "candidate", id: rule.importId?.(ids[0], inputs) ?? ids[0] }
        : theOne(
            create,
            ids.map((id) => rule.importId?.(id, inputs) ?? id),
          );
    }
  }
}

/** The tags that nobody else's resources bear. */
function ownerTags({
  account,
  operation: { team, subject },
}: LookUpRequest): Readonly<Record<string, string>> {
  if (subject.type === "account") return foundationTags(account.aws);
  return { [TAG.managedBy]: "aidlc", [TAG.team]: team, [TAG.pipeline]: subject.pipeline };
}

/** Whether it bears all tags that it was to get; which of several of its kind it is, a name among them tells. */
function bears(tags: Readonly<Record<string, string>>, inputs: PendingCreate["inputs"]): boolean {
  const wanted = inputs.tagsAll ?? inputs.tags ?? {};
  return Object.entries(wanted as Record<string, unknown>)
    .filter(([key]) => !key.startsWith("__"))
    .every(([key, value]) => typeof value !== "string" || tags[key] === value);
}

function theOne(create: PendingCreate, ids: readonly string[]): Whereabouts {
  const [id, ...others] = ids;
  if (id === undefined) return { state: "absent" };
  if (others.length === 0) return { state: "candidate", id };
  return unclear(create, `AWS has ${ids.length} that it could be: ${ids.join(", ")}`, ids);
}

function unclear({ urn, type }: PendingCreate, why: string, ids: readonly string[]): Whereabouts {
  const { name } = parseUrn(urn);
  const what =
    ids.length === 0 ? `look on AWS for what ${name} would be` : "compare them by when they were created";
  return {
    state: "unclear",
    message: `Whether ${name} (${type}) was created isn't clear. ${why}`,
    remedy: `On AWS, ${what}, delete what no stack knows, and ask for a repair (docs/recovery.md)`,
  };
}

function remembered<Key, Value>(find: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const found = new Map<Key, Promise<Value>>();
  return (key) => {
    const value = found.get(key) ?? find(key);
    found.set(key, value);
    return value;
  };
}
