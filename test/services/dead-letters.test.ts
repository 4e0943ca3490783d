// Lists of dead letters while operators remove some of them.
import t from 'tap'
import type { Context } from '../../src/services/context.js'
import { lettersOf } from '../../src/services/webhooks/dead-letters.js'
import type { DeadLetter } from '../../src/store/dead-letters.js'

const letterAt = (at: number): DeadLetter => {
  const ref = { destination: 'd', source: { kind: 'call', id: `c${at}` } }
  return { id: `d.${at}`, at, text: JSON.stringify({ reason: 'disabled', at, ref, event: {} }) }
}

t.test('a letter that is removed while its page is read hides no older one', async t => {
  const letters = Array.from({ length: 450 }, (_, n) => letterAt(n + 1))
  // As the Redis engine does: it reads the ids of a page, and then those letters that still exist.
  const list = async ({ limit, before = Infinity }: { limit: number; before?: number }) =>
    letters
      .filter(({ at }) => at < before)
      .slice(-limit)
      .filter(({ at }) => at % 100 !== 0)
  const context = { store: { webhookDeadLetters: { list } } } as unknown as Context
  let count = 0
  for await (const { ref } of lettersOf(context, 'd')) count += ref.source.kind === 'call' ? 1 : 0
  t.equal(count, 446)
})
