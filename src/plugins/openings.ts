// When a node dies, all its streams are opened at another one at once. Node parses and handles all requests that have arrived, a thousand in
// one turn of its event loop, before it does anything else. So requests for streams and polls wait here with their head parsed and no
// more: only a few go on in one turn, in the order they came, and all other requests are served in between. (How many wait for the store
// at a time is bounded in delivery/opening-queue.ts.)
import type { FastifyInstance } from 'fastify'

const PER_TURN = 16

/** Comes before all that costs: tokens are verified and budgets charged behind it. */
export function openInTurn(app: FastifyInstance, prefix: string): void {
  const waiting: (() => void)[] = []

  function openSome(): void {
    for (const open of waiting.splice(0, PER_TURN)) open()
    if (waiting.length > 0) setImmediate(openSome)
  }

  app.addHook('onRequest', ({ url }, { raw }, done) => {
    // Without a socket it stands behind the reply to another request and is refused (routes/events.ts), now and not when it has got one.
    if (!url.startsWith(prefix) || raw.socket === null) return done()
    if (waiting.length === 0) setImmediate(openSome)
    waiting.push(done)
  })
}
