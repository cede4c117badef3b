/** Who made an API key, by the key's subject. People and the service itself were made by nobody. */
export type Makers = ReadonlyMap<string, Maker>;

export interface Maker {
  readonly subject: string;
  /** An admin makes keys for others, and could grant them any role without; whoever else makes one has it for themselves. */
  readonly admin: boolean;
}

/** The subject, who made it, who made that one, and so on. */
function ancestry(subject: string, makers: Makers): string[] {
  const maker = makers.get(subject);
  return maker === undefined ? [subject] : [subject, ...ancestry(maker.subject, makers)];
}

/** Who acts by a subject, as far as the service can tell. */
function personBehind(subject: string, makers: Makers): string {
  const all = ancestry(subject, makers);
  return all.find((one) => makers.get(one)?.admin !== false) ?? (all.at(-1) as string);
}

/** Whether one could act for the other: it is the same person, or made the other's key, whoever they made it for. */
export function mayBeSame(one: string, other: string, makers: Makers): boolean {
  return (
    personBehind(one, makers) === personBehind(other, makers) ||
    ancestry(one, makers).includes(other) ||
    ancestry(other, makers).includes(one)
  );
}

/** How many people are behind these subjects at least. */
export function countPeople(subjects: readonly string[], makers: Makers): number {
  const apart: string[] = [];
  for (const subject of subjects)
    if (!apart.some((other) => mayBeSame(subject, other, makers))) apart.push(subject);
  return apart.length;
}
