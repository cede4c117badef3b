import type pg from "pg";
import { AwsError } from "./aws-error.ts";
import { effectiveRegion, newResource, plannedOutputs, updatedOutputs } from "./computed.ts";
import type { ProviderConfiguration } from "./configuration.ts";
import { assertDeletable, canBeBlocked, waitingPeriod } from "./deletions.ts";
import type { FaultInjector, FaultTarget, Operation } from "./faults.ts";
import { identityKey } from "./identifiers.ts";
import { importIdOf, importTarget } from "./import-ids.ts";
import { isSameJson } from "./json-text.ts";
import { patient } from "./patience.ts";
import { assertPossible } from "./preconditions/assert-possible.ts";
import { referencesOf } from "./references.ts";
import { danglingError, takenError } from "./refusals.ts";
import { nameOf, type ResourceType, type Schema } from "./schema.ts";
import { type Reference, ResourceStore, type StoredResource } from "./store.ts";
import { typeTitle } from "./type-names.ts";
import { typicalCreateMs } from "./typical-times.ts";
import { isEqual, type Path, type PropertyMap } from "./values.ts";
import type { Properties } from "./wire.ts";

/** What may make an operation wait or fail. */
export type Faults = Pick<FaultInjector, "strike" | "delayAnswer">;

/** A resource of one engine's state. */
export interface Target {
  readonly type: ResourceType;
  readonly configuration: ProviderConfiguration;
  readonly id: string;
  /** Outputs as the engine's state has them. */
  readonly state: PropertyMap;
}

export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

export interface Found {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** Create, read, update and delete as AWS does them. Throws an AwsError whose text says what was being done to what. */
export class Lifecycle {
  readonly #pool: pg.Pool;
  readonly #schema: Schema;
  readonly #faults: Faults;
  readonly #store: ResourceStore;

  constructor(pool: pg.Pool, schema: Schema, faults: Faults) {
    this.#pool = pool;
    this.#schema = schema;
    this.#faults = faults;
    this.#store = new ResourceStore(pool);
  }

  async create(
    type: ResourceType,
    inputs: Properties,
    configuration: ProviderConfiguration,
  ): Promise<Created> {
    const label = nameOf(type, inputs.values) ?? "";
    // Patient step by step, where other operations may be repeated whole: what was made is not made again because of what came after.
    return during("creating", type, label, async () => {
      const struck: FaultTarget = {
        type: type.token,
        operation: "create",
        account: configuration.account,
        cancelled: configuration.cancelled,
        typicalMs: typicalCreateMs(this.#schema, type.token),
      };
      const where = { account: configuration.account, region: effectiveRegion(inputs.values, configuration) };
      const created = await patient(async () => {
        await this.#faults.strike(struck);
        await this.#assertPossible(type, inputs.values, where, true);
        const given = await this.#givenByAws(type, inputs.values, configuration);
        return newResource({ type, inputs: inputs.values, configuration, now: new Date(), given });
      });
      const identity = identityOf(type, created.outputs, where, created.id);
      const secrets = withDeclaredSecrets(type, inputs.secrets);
      const outcome = await this.#store.create(
        {
          type: type.token,
          ...where,
          identity,
          awsId: created.id,
          arn: created.arn,
          name: nameOf(type, created.outputs),
          parent: parentOf(type, created.outputs),
          inputs: inputs.values,
          outputs: created.outputs,
          secrets,
        },
        referencesOf(this.#schema, type, inputs.values, where),
        type.facts.overwrites === true,
      );
      if (outcome.state === "dangling") throw danglingError(outcome.reference);
      if (outcome.state === "taken") throw takenError(type, created.outputs, configuration, outcome);
      await patient(() => this.#faults.delayAnswer(struck));
      return { id: created.id, outputs: { values: created.outputs, secrets } };
    });
  }

  /** What a preview shows of a resource that is to be created. */
  plan(type: ResourceType, inputs: Properties, configuration: ProviderConfiguration): Properties {
    const values = plannedOutputs({ type, inputs: inputs.values, configuration, now: new Date() });
    return { values, secrets: withDeclaredSecrets(type, inputs.secrets) };
  }

  async read(target: Target, oldInputs: Properties): Promise<Found | undefined> {
    const { type } = target;
    return during("reading", type, target.id, () =>
      patient(async () => {
        await this.#faults.strike(struckBy(target, "read"));
        const row = await this.#find(target);
        if (!row) return undefined;
        return {
          id: row.aws_id,
          inputs: { values: liveInputs(type, row, oldInputs.values), secrets: row.secrets },
          outputs: { values: row.outputs, secrets: row.secrets },
        };
      }),
    );
  }

  async update(target: Target, news: Properties, oldInputs: PropertyMap): Promise<Properties> {
    const { type, configuration } = target;
    return during("updating", type, target.id, () =>
      patient(async () => {
        await this.#faults.strike(struckBy(target, "update"));
        const outputs = this.planUpdate(target, news).values;
        const where = { account: configuration.account, region: regionOf(target) };
        const references = newReferences(this.#schema, type, news.values, oldInputs, where);
        const dangling = await this.#store.findDangling(configuration.account, references);
        if (dangling) throw danglingError(dangling);
        await this.#assertPossible(type, news.values, where, false);
        const secrets = withDeclaredSecrets(type, news.secrets);
        const outcome = await this.#store.update(identityOfTarget(target), {
          identity: identityOfTarget({ ...target, state: outputs }),
          name: nameOf(type, outputs),
          inputs: news.values,
          outputs,
          secrets,
        });
        if (outcome === "gone") {
          throw new AwsError(
            "ResourceNotFoundException",
            `${typeTitle(type.token)} ${target.id} no longer exists: refresh the stack`,
          );
        }
        if (outcome === "taken") throw takenError(type, outputs, configuration);
        await this.#faults.delayAnswer(struckBy(target, "update"));
        return { values: outputs, secrets };
      }),
    );
  }

  planUpdate(target: Target, news: Properties): Properties {
    const { type, configuration } = target;
    const request = { type, inputs: news.values, configuration, now: new Date() };
    return {
      values: updatedOutputs(request, target.id, target.state),
      secrets: withDeclaredSecrets(type, news.secrets),
    };
  }

  /** Idempotent: what is gone already counts as deleted. */
  async delete(target: Target): Promise<void> {
    const { type } = target;
    await during("deleting", type, target.id, () =>
      patient(async () => {
        await this.#faults.strike(struckBy(target, "delete"));
        const identity = identityOfTarget(target);
        if (canBeBlocked(type.token)) await assertDeletable(this.#pool, type.token, identity);
        const asParent = parentKeys(type, target.id, target.state);
        const days = waitingPeriod(type.token, target.state);
        if (days > 0) await this.#store.scheduleDeletion(identity, target.id, asParent, days);
        else await this.#store.delete(identity, target.id, asParent);
        await this.#faults.delayAnswer(struckBy(target, "delete"));
      }),
    );
  }

  async #assertPossible(
    type: ResourceType,
    inputs: PropertyMap,
    where: { account: string; region: string },
    isNew: boolean,
  ): Promise<void> {
    await assertPossible(this.#schema, { type, inputs, ...where, isNew, store: this.#store });
  }

  async #find(target: Target): Promise<StoredResource | undefined> {
    const { id, state } = target;
    if (Object.keys(state).length > 0) {
      const row = await this.#store.findByIdentity(identityOfTarget(target));
      if (row) return row.deletion_due_at === null && row.aws_id === id ? row : undefined;
    }
    return this.#findForImport(target);
  }

  /** By nothing but what a person would type to import it. */
  async #findForImport({
    type,
    configuration,
    id: given,
    state,
  }: Target): Promise<StoredResource | undefined> {
    const { account } = configuration;
    const { id, region } = importTarget(given, effectiveRegion(state, configuration));
    const row = await this.#store.findByAwsId(type.token, account, region, id);
    if (row) return row;
    const rows = await this.#store.list(type.token, account, region);
    return rows.find((one) => importIdOf(one) === id);
  }

  /** What doesn't follow from the inputs alone: the next revision, or what a VPC brought with it. */
  async #givenByAws(
    type: ResourceType,
    inputs: PropertyMap,
    configuration: ProviderConfiguration,
  ): Promise<PropertyMap> {
    const region = effectiveRegion(inputs, configuration);
    if (type.token === "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup") {
      const vpcId = String(inputs.vpcId);
      const vpc = await this.#store.findByAwsId("aws:ec2/vpc:Vpc", configuration.account, region, vpcId);
      const group = vpc?.outputs.defaultSecurityGroupId;
      return group === undefined ? {} : { adoptedId: group };
    }
    const counter = countedOutputs[type.token.split(":")[1] ?? ""];
    if (!counter) return {};
    const subject = [type.token, configuration.account, region, String(inputs[counter.of])].join("|");
    const revision = await this.#store.nextRevision(subject);
    return { [counter.output]: counter.asText ? String(revision) : revision };
  }
}

/** AWS numbers these for ever, also across deletion and replacement. */
const countedOutputs: Readonly<Record<string, { output: string; of: string; asText?: true }>> = {
  "ecs/taskDefinition": { output: "revision", of: "family" },
  "lambda/layerVersion": { output: "version", of: "layerName", asText: true },
};

async function during<Result>(
  action: string,
  type: ResourceType,
  id: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(error.code, error.during(action, typeTitle(type.token), id));
  }
}

function struckBy({ type, configuration }: Target, operation: Operation): FaultTarget {
  const { account, cancelled } = configuration;
  return { type: type.token, operation, account, cancelled };
}

function regionOf({ state, configuration }: Target): string {
  return effectiveRegion(state, configuration);
}

function identityOfTarget(target: Target): string {
  const { type, configuration, state, id } = target;
  return identityOf(type, state, { account: configuration.account, region: regionOf(target) }, id);
}

/** The same from what a creation answers and from what the engine remembers of it: not every type tells its ARN. */
function identityOf(
  type: ResourceType,
  properties: PropertyMap,
  where: { readonly account: string; readonly region: string },
  id: string,
): string {
  const arn = typeof properties.arn === "string" && properties.arn !== "" ? properties.arn : undefined;
  return identityKey(type, properties, where, { id, arn });
}

/** A part of another resource (a bucket's policy, a role's attachment) goes when that one goes. */
function parentOf(type: ResourceType, properties: PropertyMap): string | undefined {
  const [whole] = type.token === "aws:kms/alias:Alias" ? ["targetKeyId"] : (type.facts.uniqueBy ?? []);
  if (whole === undefined || (type.facts.unique !== "parent" && type.token !== "aws:kms/alias:Alias"))
    return undefined;
  const target = type.facts.references?.[whole];
  const value = properties[whole];
  return target === undefined || target.includes("|") || typeof value !== "string"
    ? undefined
    : `${target}|${value}`;
}

export function parentKeys(type: ResourceType, id: string, outputs: PropertyMap): string[] {
  const names = [id, outputs.arn, nameOf(type, outputs)];
  return [...new Set(names.filter((name) => typeof name === "string" && name !== ""))].map(
    (name) => `${type.token}|${String(name)}`,
  );
}

function withDeclaredSecrets(type: ResourceType, secrets: readonly Path[]): readonly Path[] {
  const declared = type.secrets
    .filter((name) => !secrets.some(([first]) => first === name))
    .map((name) => [name]);
  return declared.length === 0 ? secrets : [...secrets, ...declared];
}

/** What the program gave, as it is now. An input that somebody added by hand shows unless it has its default value. */
function liveInputs(type: ResourceType, row: StoredResource, known: PropertyMap): PropertyMap {
  const inputs: PropertyMap = {};
  for (const [name, value] of Object.entries(row.inputs)) {
    const before = known[name];
    if (isSameJson(value, before) && before !== undefined) inputs[name] = before;
    else if (
      before !== undefined ||
      !isEqual(value, type.facts.defaults?.[name] as PropertyMap | undefined)
    ) {
      inputs[name] = value;
    }
  }
  return inputs;
}

function newReferences(
  schema: Schema,
  type: ResourceType,
  news: PropertyMap,
  olds: PropertyMap,
  where: { account: string; region: string },
): Reference[] {
  const known = new Set(
    referencesOf(schema, type, olds, where).map(({ property, value }) => `${property}|${value}`),
  );
  return referencesOf(schema, type, news, where).filter(
    ({ property, value }) => !known.has(`${property}|${value}`),
  );
}
