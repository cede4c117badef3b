import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Static } from "typebox";
import type { FileView } from "../../src/ingestion/schema.ts";
import { counted } from "./printer.ts";
import { whileWaiting } from "./progress-view.ts";
import { pipelinePath, type Stage } from "./stage.ts";

type File = Static<typeof FileView>;
type Penguin = Readonly<Record<string, string | number | null>>;

const source = new URL("../../node_modules/vega-datasets/data/penguins.json", import.meta.url);

/** Judging a few hundred rows takes a second; a machine that is busy may take longer. */
const patienceMs = 120_000;
const askEveryMs = 250;

/** The Palmer penguins are accepted; a copy in which a weight, a species and a flipper are wrong is quarantined. */
export async function giveData(stage: Stage): Promise<void> {
  const { summary } = stage;
  const penguins = JSON.parse(await readFile(source, "utf8")) as Penguin[];
  const spoilt = penguins.map((penguin, index) => ({ ...penguin, ...mistakes[index] }));
  const files = [
    await give(stage, "penguins.csv", penguins),
    await give(stage, "penguins-spoilt.csv", spoilt),
  ];
  summary.accepted = files.filter(({ state }) => state === "accepted").length;
  summary.quarantined = files.filter(({ state }) => state === "quarantined").length;
  if (files[0]?.state !== "accepted" || files[1]?.state !== "quarantined") {
    throw new Error("The penguins' own file was to be accepted, and its spoilt copy quarantined");
  }
}

const mistakes: Readonly<Record<number, Penguin>> = {
  7: { "Body Mass (g)": 46_750 },
  100: { Species: "Emperor" },
  200: { "Flipper Length (mm)": "two hundred" },
};

async function give({ client, printer }: Stage, name: string, penguins: readonly Penguin[]): Promise<File> {
  const content = csvOf(penguins);
  const given = await client.send<File>("POST", `${pipelinePath}/data?name=${name}`, {
    type: "text/csv",
    content,
  });
  const file = await whileWaiting(printer, "", verdictOf({ client }, given.id));
  const reasons = file.reasons ?? [];
  const result = reasons.length === 0 ? counted(file.rows ?? 0, "row") : counted(reasons.length, "reason");
  printer.done(`${name} is ${file.state}: ${result}`);
  for (const { message } of reasons) printer.line(`    ${message}`);
  return file;
}

async function verdictOf({ client }: Pick<Stage, "client">, id: string): Promise<File> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { items } = await client.get<{ items: File[] }>(`${pipelinePath}/data?limit=5`);
    const file = items.find((item) => item.id === id);
    if (file !== undefined && file.state !== "received") return file;
    if (performance.now() > until) throw new Error("The file has no verdict after two minutes");
    await sleep(askEveryMs);
  }
}

/** As RFC 4180 has it; no value of the penguins needs quotes. */
function csvOf(rows: readonly Penguin[]): string {
  const names = Object.keys(rows[0] ?? {});
  return [names, ...rows.map((row) => names.map((name) => row[name] ?? ""))]
    .map((fields) => `${fields.join(",")}\n`)
    .join("");
}
