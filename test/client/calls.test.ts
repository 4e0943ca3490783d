// The rules of calls, as users of the SDK see them: with real connections, on one node in memory and on two nodes with Redis.
import t, { type Test } from 'tap'
import { LAYOUTS, nameOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { type Connect, incoming, next, startPeople, withChannel } from './people.js'

type Rule = (t: Test, connect: Connect) => Promise<void>

async function connected(connect: Connect) {
  const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
  const rings = incoming(bob)
  const call = await alice.call('bob', withChannel)
  const answered = await rings
  const both = Promise.all([next(call, 'connected'), next(answered, 'connected')])
  await answered.accept()
  await both
  return { alice, bob, call, answered }
}

const RULES: Record<string, Rule> = {
  'a call that is answered connects, and ends when a side hangs up': async (t, connect) => {
    const { alice, bob, call, answered } = await connected(connect)
    t.equal(call.id, answered.id)
    t.match(
      [call.state, answered.state, call.peer.user, answered.peer.user],
      ['connected', 'connected', 'bob', 'alice']
    )
    await until('both are connected', () =>
      [call, answered].every(({ peerConnection }) => peerConnection?.connectionState === 'connected')
    )
    const ended = next(call, 'ended')
    await answered.hangup()
    t.match(await ended, { reason: 'hangup', by: { user: 'bob' } })
    t.same([alice.calls.size, bob.calls.size, answered.reason], [0, 0, 'hangup'])
    const { entries } = await call.timeline()
    t.ok(entries.length > 3)
  }
}

for (const layout of LAYOUTS) {
  t.test(nameOf(layout), async t => {
    const connect = await startPeople(t, layout)
    for (const [name, rule] of Object.entries(RULES)) {
      await t.test(name, t => rule(t, (user, options) => connect(user, options)))
    }
  })
}
