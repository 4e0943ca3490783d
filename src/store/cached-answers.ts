// Part of the port in store.ts: cached answers of outside services, shared by all nodes. The general promises of store.ts hold.

/** `value` is opaque to the store; `tag` is new each time an answer is written. */
export interface CachedAnswer {
  readonly tag: string
  readonly value: string
}

export interface CachedAnswers {
  get(id: string): Promise<CachedAnswer | null>
  /**
   * Keeps the answer for `keepMs`; 0 deletes it. With `ifTag` only if the cached answer still has that tag (null: none is cached), so that an
   * older answer does not overwrite a newer one. Resolves to whether it was written.
   */
  put(id: string, answer: CachedAnswer, options: { keepMs: number; ifTag?: string | null }): Promise<boolean>
}
