/** Work of the same key is done one after the other, in the order in which it came; work of other keys beside it. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Settles as `work` does; whether what came before has failed is no matter. */
  async runExclusive<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.last.get(key) ?? Promise.resolve()).then(work, work);
    this.last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.last.get(key) === turn) this.last.delete(key);
    }
  }
}
