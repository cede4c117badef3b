// One would do for throughput; with several, a statement that hangs on a dead connection holds nobody else up.
const mostUnderWay = 4;

/**
 * Finds values by key, many at a time: what is asked for while enough statements are under way waits for the next one, together. An
 * idle node asks at once, a busy one once for many requests. Nothing is kept, and no question is answered by a statement that began
 * before it was asked: what was true before doesn't count.
 */
export class Gathered<Value> {
  readonly #findAll: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;
  #waiting = new Map<string, PromiseWithResolvers<Value | undefined>>();
  #underWay = 0;

  constructor(findAll: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>) {
    this.#findAll = findAll;
  }

  /** The value of a key, undefined when there is none; rejects as the statement did that looked for it. */
  find(key: string): Promise<Value | undefined> {
    const waiting = this.#waiting.get(key) ?? Promise.withResolvers<Value | undefined>();
    this.#waiting.set(key, waiting);
    void this.#ask();
    return waiting.promise;
  }

  async #ask(): Promise<void> {
    if (this.#underWay >= mostUnderWay || this.#waiting.size === 0) return;
    const asked = this.#waiting;
    this.#waiting = new Map();
    this.#underWay += 1;
    try {
      const found = await this.#findAll([...asked.keys()]);
      for (const [key, { resolve }] of asked) resolve(found.get(key));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    } finally {
      this.#underWay -= 1;
      void this.#ask();
    }
  }
}
