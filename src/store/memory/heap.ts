// A binary heap that keeps the index of each key: setting, moving and deleting a key takes O(log n).

interface Entry<Key> {
  readonly key: Key
  at: number
  index: number
}

/** Keys ordered by one instant each. */
export class Heap<Key> {
  readonly #entries: Entry<Key>[] = []
  readonly #byKey = new Map<Key, Entry<Key>>()

  get size(): number {
    return this.#entries.length
  }

  keys(): Iterable<Key> {
    return this.#byKey.keys()
  }

  get(key: Key): number | undefined {
    return this.#byKey.get(key)?.at
  }

  has(key: Key): boolean {
    return this.#byKey.has(key)
  }

  /** The earliest key; with equal instants any of them. */
  first(): { readonly key: Key; readonly at: number } | undefined {
    return this.#entries[0]
  }

  set(key: Key, at: number): void {
    const known = this.#byKey.get(key)
    const entry = known ?? { key, at, index: this.#entries.length }
    if (!known) {
      this.#byKey.set(key, entry)
      this.#entries.push(entry)
    }
    entry.at = at
    this.#restore(entry)
  }

  delete(key: Key): void {
    const entry = this.#byKey.get(key)
    const last = this.#entries.at(-1)
    if (!entry || !last) return
    this.#byKey.delete(key)
    this.#entries.pop()
    if (entry === last) return
    this.#place(last, entry.index)
    this.#restore(last)
  }

  #restore(entry: Entry<Key>): void {
    this.#rise(entry)
    this.#sink(entry)
  }

  #rise(entry: Entry<Key>): void {
    while (entry.index > 0) {
      const parent = this.#entries[(entry.index - 1) >> 1]
      if (!parent || parent.at <= entry.at) return
      this.#swap(entry, parent)
    }
  }

  #sink(entry: Entry<Key>): void {
    for (;;) {
      const [left, right] = [this.#entries[2 * entry.index + 1], this.#entries[2 * entry.index + 2]]
      const child = left && right && right.at < left.at ? right : left
      if (!child || entry.at <= child.at) return
      this.#swap(entry, child)
    }
  }

  #swap(one: Entry<Key>, other: Entry<Key>): void {
    const { index } = one
    this.#place(one, other.index)
    this.#place(other, index)
  }

  #place(entry: Entry<Key>, index: number): void {
    entry.index = index
    this.#entries[index] = entry
  }
}
