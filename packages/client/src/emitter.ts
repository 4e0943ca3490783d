// Typed events. A listener that throws stops neither the others nor the emitter.

export type Listener<T> = (value: T) => void

export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  /** Returns the function that removes the listener. */
  on<Type extends keyof Events>(type: Type, listener: Listener<Events[Type]>): () => void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
    return () => this.off(type, listener)
  }

  /** For the next event of this type only. Returns the function that removes the listener. */
  once<Type extends keyof Events>(type: Type, listener: Listener<Events[Type]>): () => void {
    const off = this.on(type, value => {
      off()
      listener(value)
    })
    return off
  }

  off<Type extends keyof Events>(type: Type, listener: Listener<Events[Type]>): void {
    this.#listeners.get(type)?.delete(listener)
  }

  /** @internal Whether there is a listener. */
  has(type: keyof Events): boolean {
    return Boolean(this.#listeners.get(type)?.size)
  }

  /** @internal Returns whether a listener was there. */
  emit<Type extends keyof Events>(type: Type, value: Events[Type]): boolean {
    const listeners = [...(this.#listeners.get(type) ?? [])] as Listener<Events[Type]>[]
    for (const listener of listeners) {
      try {
        listener(value)
      } catch (error) {
        // A listener for errors that throws would be called with its own error.
        if (type === 'error') console.error(error)
        else this.onError(error)
      }
    }
    return listeners.length > 0
  }

  protected onError(error: unknown): void {
    console.error(error)
  }
}
