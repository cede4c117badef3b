import Type, { type Static } from "typebox";
import { type ColumnProfile, mergeProfiles, Profile } from "./profile.ts";

/** How many object versions a generation has. Their names are most of a document: some 200 kB in two full generations. */
export const GENERATION_OBJECTS = 1000;

const Moment = Type.String({ description: "ISO 8601, in UTC." });

const Generation = Type.Object({
  /** Objects of earlier generations came at this moment at the latest, by their events; absent in the first. */
  since: Type.Optional(Moment),
  /** The latest moment at which an object of this or an earlier generation came. */
  until: Moment,
  objects: Type.Array(Type.Object({ key: Type.String(), versionId: Type.String() }), {
    maxItems: GENERATION_OBJECTS,
  }),
  profile: Profile,
});
export type Generation = Static<typeof Generation>;

/**
 * A version of the drift baseline: which object versions it was made of, and how their values are distributed. It covers the one or two
 * newest generations, so the last 1,000 to 2,000 accepted objects, or all while there were no more.
 */
export const BaselineDocument = Type.Object({
  format: Type.Literal(1),
  number: Type.Integer({ minimum: 1 }),
  generations: Type.Array(Generation, { minItems: 1, maxItems: 2 }),
});
export type BaselineDocument = Static<typeof BaselineDocument>;

/** An accepted object that is to become part of the baseline. */
export interface AcceptedObject {
  readonly key: string;
  readonly versionId: string;
  /** When it came, by its event: ISO 8601, in UTC. Another delivery of the event has the same. */
  readonly at: string;
  readonly profile: Profile;
}

export const profileOfBaseline = ({ generations }: BaselineDocument): Profile =>
  generations.map(({ profile }) => profile).reduce(mergeNewer);

/**
 * The next version, with these objects; undefined when it would have none that the baseline hasn't. An object is merged once, however often
 * it is given: those of the last generations are known by name, and older ones are told by their moment. So an object that
 * comes for the first time after so many newer ones is left out.
 */
export function nextBaseline(
  baseline: BaselineDocument | undefined,
  accepted: readonly AcceptedObject[],
): BaselineDocument | undefined {
  const generations: Generation[] = [...(baseline?.generations ?? [])];
  const known = new Set(generations.flatMap(({ objects }) => objects.map(nameOf)));
  const since = generations[0]?.since ?? "";
  let merged = 0;
  for (const object of [...accepted].sort(byMoment)) {
    if (object.at <= since || known.has(nameOf(object))) continue;
    known.add(nameOf(object));
    merged++;
    append(generations, object);
  }
  if (merged === 0) return undefined;
  return { format: 1, number: (baseline?.number ?? 0) + 1, generations: generations.slice(-2) };
}

function append(generations: Generation[], { key, versionId, at, profile }: AcceptedObject): void {
  const last = generations.at(-1);
  if (last === undefined || last.objects.length === GENERATION_OBJECTS) {
    generations.push({
      ...(last !== undefined && { since: last.until }),
      until: later(last?.until ?? at, at),
      objects: [{ key, versionId }],
      profile,
    });
    return;
  }
  generations[generations.length - 1] = {
    ...last,
    until: later(last.until, at),
    objects: [...last.objects, { key, versionId }],
    profile: mergeNewer(last.profile, profile),
  };
}

/** Columns that are profiled in another way than before, because the schema says so, begin anew. */
function mergeNewer(older: Profile, newer: Profile): Profile {
  const fits = ([name, values]: [string, ColumnProfile]) =>
    !Object.hasOwn(newer.columns, name) || newer.columns[name]?.kind === values.kind;
  const columns = Object.fromEntries(Object.entries(older.columns).filter(fits));
  return mergeProfiles({ ...older, columns }, newer);
}

const nameOf = ({ key, versionId }: { readonly key: string; readonly versionId: string }) =>
  JSON.stringify([key, versionId]);

const later = (one: string, other: string) => (one > other ? one : other);

const order = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);

const byMoment = (one: AcceptedObject, other: AcceptedObject) =>
  order(one.at, other.at) || order(nameOf(one), nameOf(other));
