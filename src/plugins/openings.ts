// Spreads the opening of streams and polls over turns of the event loop. When a node dies, all its streams are opened at other nodes at
// once, and Node would handle up to a thousand requests that have arrived in one turn. Here they wait with only their head parsed. A few
// continue in each turn, in the order of arrival, and other requests are served in between. (delivery/opening-queue.ts limits how many
// use the store at a time.)
import type { FastifyInstance } from 'fastify'

const PER_TURN = 16

/** Call it before hooks that cost time, such as those that verify tokens and charge budgets. */
export function openInTurn(app: FastifyInstance, prefix: string): void {
  const waiting: (() => void)[] = []

  function openSome(): void {
    for (const open of waiting.splice(0, PER_TURN)) open()
    if (waiting.length > 0) setImmediate(openSome)
  }

  app.addHook('onRequest', ({ url }, { raw }, done) => {
    // A pipelined request has no socket until the replies before it are finished. routes/events.ts refuses it, so it does not wait here.
    if (!url.startsWith(prefix) || raw.socket === null) return done()
    if (waiting.length === 0) setImmediate(openSome)
    waiting.push(done)
  })
}
