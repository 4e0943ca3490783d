// What receives the events of the server, in their order: a call or a room.
import type { SignalpostEvent } from './core.js'
import { Emitter } from './emitter.js'

export abstract class Receiver<Events> extends Emitter<Events> {
  /** Events that arrive during steps which they may depend on, and the number of these. */
  protected readonly waitingEvents: SignalpostEvent[] = []
  #steps = 0

  receive(event: SignalpostEvent): void {
    if (this.#steps > 0) this.waitingEvents.push(event)
    else this.handleNow(event)
  }

  protected abstract handleNow(event: SignalpostEvent): void

  /** Events wait for this step. */
  protected async during(step: () => Promise<unknown>): Promise<void> {
    this.#steps++
    try {
      await step()
    } finally {
      this.#steps--
      for (const event of this.waitingEvents.splice(0)) this.receive(event)
    }
  }

  /** @internal Events wait for this step, and until the application, to which its promise was given, can listen. */
  beforeListening(step: () => Promise<void>): Promise<void> {
    const done = step()
    const nextTask = () => new Promise(resolve => setTimeout(resolve))
    void this.during(() => done.then(nextTask, nextTask))
    return done
  }
}
