/** Does `work` for each item, for at most `atOnce` of them at the same time; rejects with the first failure when all has stopped. */
export async function eachOf<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  const lanes = Array.from({ length: atOnce }, async () => {
    for (const item of rest) await work(item);
  });
  const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === "rejected");
  if (failed) throw failed.reason;
}
