// Marks secrets, assets and archives in a state: https://www.pulumi.com/docs/iac/concepts/assets-archives/
const signature = "4dabf18193072939515e22adb298388d";

/** Paths at which a state's inputs differ from those that exist; what the state has encrypted or packed can't be compared. */
export function differences(state: unknown, live: unknown, path = ""): string[] {
  if (isRecord(state) && signature in state) return [];
  if (isRecord(state) && isRecord(live)) {
    const names = [...new Set([...Object.keys(state), ...Object.keys(live)])];
    return names
      .filter((name) => name !== "__defaults" && name !== signature)
      .flatMap((name) => differences(state[name], live[name], path === "" ? name : `${path}.${name}`));
  }
  if (Array.isArray(state) && Array.isArray(live) && state.length === live.length)
    return state.flatMap((item, index) => differences(item, live[index], `${path}[${index}]`));
  if (JSON.stringify(state) === JSON.stringify(live)) return [];
  return [`${path} is ${shortened(live)} and not ${shortened(state)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
