// A part of the port in store.ts: copies of what other services say, shared by all nodes. The promises at the top of store.ts hold.

/** What another service said, opaque here; `tag` is new with every copy. */
export interface CachedAnswer {
  readonly tag: string
  readonly value: string
}

export interface CachedAnswers {
  get(id: string): Promise<CachedAnswer | null>
  /**
   * Kept for `keepMs`; 0: there is none then. With `over`, only if that copy (its tag; null: none) is what is kept still: an answer that was asked for
   * before the copy changed is not written over the change. False: it was not.
   */
  put(id: string, copy: CachedAnswer, options: { keepMs: number; ifTag?: string | null }): Promise<boolean>
}
