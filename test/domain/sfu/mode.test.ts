import t from 'tap'
import { PART, type Settings } from '../../../src/domain/room/state.js'
import { AppError } from '../../../src/errors.js'
import type { RoomRequest } from '../../../src/schemas/room.js'
import { actorOf, RoomFixture } from '../../helpers/room-fixture.js'

const host = actorOf('host')
const fellBack = { mode: 'p2p', fellBack: true } as const
const sfu = { mode: 'sfu' } as const
const p2p = { mode: 'p2p' } as const

/** The mode afterwards, whether the session goes, and what participants receive. */
const CASES: readonly [before: Partial<Settings>, body: RoomRequest, expected: string][] = [
  [p2p, sfu, 'sfu; {"mode":"sfu"}'],
  [sfu, p2p, 'p2p, session null; {"mode":"p2p"} with offerOrder'],
  [sfu, sfu, 'sfu; {"mode":"sfu"}'],
  [p2p, p2p, 'p2p; {"mode":"p2p"}'],
  [sfu, { locked: true }, 'sfu; {"locked":true}'],
  [fellBack, { locked: true }, 'p2p, fell back; {"locked":true}'],
  [fellBack, sfu, 'p2p, fell back; {"mode":"p2p"}'],
  [fellBack, p2p, 'p2p, session null; {"mode":"p2p"}'],
  [fellBack, { p2pFallback: false }, 'p2p, fell back; {"p2pFallback":false}']
]

for (const [before, body, expected] of CASES) {
  t.test(`${JSON.stringify(before)}, then ${JSON.stringify(body)}`, async t => {
    const room = new RoomFixture()
    room.join(host)
    room.join(actorOf('guest'))
    room.attempt(({ settings }) => ({
      writes: { [PART.settings]: { ...(settings as Settings), ...before }, [PART.sfu]: { state: 'open' } },
      events: []
    }))
    const decision = room.configure(host, body)
    if (decision instanceof AppError) throw decision
    const settings = decision.writes[PART.settings] as Settings
    const data = decision.events[0]?.data ?? {}
    const state = [
      settings.mode,
      ...(settings.fellBack ? ['fell back'] : []),
      ...(decision.writes[PART.sfu] === null ? ['session null'] : [])
    ].join(', ')
    const order = data.offerOrder === undefined ? '' : ' with offerOrder'
    t.equal(`${state}; ${JSON.stringify(data.changes)}${order}`, expected)
  })
}

t.test('when a room closes, its session ends with it', async t => {
  const room = new RoomFixture()
  room.join(host)
  room.attempt(() => ({ writes: { [PART.sfu]: { state: 'open' } }, events: [] }))
  const closed = room.close(host)
  t.match(closed, { endsRoom: true, writes: { [PART.sfu]: null } })
})

t.test('a leave ends the media of the participant in mode sfu only', async t => {
  for (const mode of ['sfu', 'p2p'] as const) {
    const room = new RoomFixture()
    room.join(host)
    room.join(actorOf('guest'))
    room.configure(host, { mode })
    const left = room.remove(host, actorOf('guest'))
    t.equal('endsMedia' in left, mode === 'sfu', mode)
    t.match(left, { writes: { [PART.producersOf(actorOf('guest'))]: null } })
  }
})
