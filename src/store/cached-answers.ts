// A part of the port in store.ts: copies of what other services say, shared by all nodes. The promises at the top of store.ts hold.

/** What another service said, opaque here; `tag` is new with every copy. */
export interface Copy {
  readonly tag: string
  readonly value: string
}

export interface Copies {
  get(id: string): Promise<Copy | null>
  /**
   * Kept for `keepMs`; 0: there is none then. With `over`, only if that copy (its tag; null: none) is what is kept still: an answer that was asked for
   * before the copy changed is not written over the change. False: it was not.
   */
  put(id: string, copy: Copy, options: { keepMs: number; over?: string | null }): Promise<boolean>
}
