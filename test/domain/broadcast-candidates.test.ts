// Broadcast candidates of a room: stored once, within bounds.
import t from 'tap'
import { type Broadcast, withBatch } from '../../src/domain/negotiation/broadcast.js'
import { WAITING_BYTES_MAX, WAITING_MAX } from '../../src/domain/negotiation/waiting-candidates.js'
import { candidates } from '../helpers/sdp.js'

const numbers = ({ candidates: kept }: Broadcast) => kept.map(([number]) => number)

t.test('when candidates are added, each of them and the end get the next number', async t => {
  const first = withBatch(null, { candidates: candidates(2, 'a1') }, 0)
  const second = withBatch(first, { candidates: candidates(1, 'a1'), end: true }, 0)
  const third = withBatch(second, { candidates: candidates(1, 'a2') }, 0)
  t.same([first.last, second.last, second.endAt, third.last], [2, 4, 4, 5])
  t.same(numbers(third), [1, 2, 3, 5])
})

t.test('when the bounds are exceeded, other generations are dropped; a single generation is refused', async t => {
  let kept: Broadcast | null = null
  for (let n = 0; n < WAITING_MAX / 64; n++) kept = withBatch(kept, { candidates: candidates(64, 'a1') }, 0)
  t.throws(() => withBatch(kept, { candidates: candidates(1, 'a1') }, 0), { code: 'too_many_waiting_candidates' })
  t.same(numbers(withBatch(kept, { candidates: candidates(2, 'a2') }, 0)), [WAITING_MAX + 1, WAITING_MAX + 2])
  const [one] = candidates(1, 'a3')
  const large = Array.from({ length: 64 }, () => ({ ...one, candidate: `${one?.candidate} ${'x'.repeat(700)}` }))
  const half = withBatch(null, { candidates: large }, 0)
  t.throws(
    () => withBatch(half, { candidates: large }, 0),
    { code: 'too_many_waiting_candidates' },
    `${WAITING_BYTES_MAX} bytes`
  )
})
