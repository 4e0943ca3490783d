// The mode of a room changes from p2p to sfu and back: negotiations begin anew, whatever was pending before.
import t, { type Test } from 'tap'
import { addClients, closeMedia, connect, meetOnMedia, startMedia } from '../helpers/media-fixture.js'
import type { JoinedClient } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'

const media = await startMedia(1)
t.teardown(() => closeMedia(media))

interface Members {
  readonly host: JoinedClient
  readonly early: JoinedClient
  readonly late: JoinedClient
}

/** Sends the signal and returns its revision, or the code of the refusal. What is accepted is delivered. */
async function send(from: JoinedClient, to: JoinedClient, [kind, ufrag, revision]: Description): Promise<unknown> {
  const body = { to: to.id, sdp: sdp(ufrag), revision }
  const { status, body: reply } = await from.who.request('POST', `rooms/r1/${kind}`, body)
  if (status !== 202) return reply.code
  const { from: sender, revision: received } = await to.who.expectEvent(`signal.${kind}`)
  return (sender as { participantId: string }).participantId === from.id ? received : 'from another participant'
}

type Description = readonly [kind: 'offer' | 'answer', ufrag: string, revision?: number]
type Step = readonly [from: 'early' | 'late', ...Description]

/** What each signals in the first p2p phase, and what happens to signals in the second one. */
const CASES: readonly [name: string, before: Step[], after: readonly (readonly [Step, expected: number | string])[]][] =
  [
    [
      'the earlier one has an offer pending',
      [['early', 'offer', 'a1']],
      [
        [['late', 'answer', 'b1', 1], 'no_offer_pending'],
        [['early', 'offer', 'a1'], 'stale_revision'],
        [['late', 'offer', 'b2'], 2],
        [['early', 'answer', 'a2'], 2]
      ]
    ],
    [
      'the later one has an offer pending',
      [['late', 'offer', 'b1']],
      [
        [['early', 'answer', 'a1'], 'no_offer_pending'],
        [['late', 'offer', 'b2'], 2],
        [['early', 'answer', 'a1'], 'revision_required'],
        [['early', 'answer', 'a1', 1], 'stale_revision'],
        [['early', 'answer', 'a2', 2], 2],
        [['early', 'offer', 'a3'], 3]
      ]
    ],
    [
      'the earlier one has renegotiated, and has another offer pending',
      [
        ['late', 'offer', 'b1'],
        ['early', 'answer', 'a1'],
        ['early', 'offer', 'a2']
      ],
      [
        [['late', 'offer', 'b2'], 3],
        [['late', 'answer', 'b1', 2], 'stale_revision'],
        [['early', 'offer', 'a2', 2], 'stale_revision'],
        [['early', 'answer', 'a3', 3], 3]
      ]
    ],
    [
      'no offer is pending',
      [
        ['late', 'offer', 'b1'],
        ['early', 'answer', 'a1']
      ],
      [
        [['early', 'answer', 'a1'], 'stale_revision'],
        [['late', 'offer', 'b1', 1], 'stale_revision'],
        [['late', 'offer', 'b2', 2], 2],
        [['early', 'answer', 'a1', 2], 'stale_revision'],
        [['early', 'answer', 'a2'], 2]
      ]
    ]
  ]

async function setMode({ host, early, late }: Members, mode: string): Promise<void> {
  await host.who.request('PUT', 'rooms/r1', { mode })
  for (const { who } of [early, late]) await who.expectEvent('room.updated')
}

async function meet(clients: Parameters<typeof meetOnMedia>[0]): Promise<Members> {
  const [host, early, late] = await meetOnMedia(clients, { mode: 'p2p' })
  if (!host || !early || !late) throw new Error('three join')
  return { host, early, late }
}

async function play(t: Test, members: Members, [, before, after]: (typeof CASES)[number]): Promise<void> {
  const run = ([from, ...description]: Step) =>
    send(members[from], members[from === 'early' ? 'late' : 'early'], description)
  for (const step of before) t.type(await run(step), 'number')
  await setMode(members, 'sfu')
  await setMode(members, 'p2p')
  for (const [step, expected] of after) t.equal(await run(step), expected, step.join(' '))
}

for (const each of CASES) {
  flow(
    `when the mode becomes sfu and p2p again while ${each[0]}, only new descriptions are delivered`,
    async (t, scenario) => {
      await connect(scenario, media)
      await play(t, await meet(await addClients(scenario, 3)), each)
    },
    { env: media.env }
  )
}

flow(
  'when the mode becomes sfu and p2p again, candidates of before are refused, and those that waited are gone',
  async (t, scenario) => {
    await connect(scenario, media)
    const members = await meet(await addClients(scenario, 3))
    const { early, late } = members
    const trickle = (ufrag: string, more = {}) =>
      early.who.request('POST', 'rooms/r1/candidates', { candidates: candidates(1, ufrag), ...more })
    await send(early, late, ['offer', 'a1'])
    t.match(
      await trickle('a1', { end: true }),
      { body: { accepted: 1, held: [{ reason: 'no_description' }] } },
      'host has no offer'
    )
    await late.who.expectEvent('signal.candidates')
    t.match(await trickle('a2', { to: late.id }), { body: { held: [{ reason: 'unknown_ufrag' }] } })
    await setMode(members, 'sfu')
    await setMode(members, 'p2p')
    t.match(await trickle('a1', { to: late.id }), { status: 409, body: { code: 'stale_candidate' } })
    t.equal(await send(early, late, ['offer', 'a2']), 2)
    t.equal(await send(late, early, ['answer', 'b2', 2]), 2, 'no candidates came with the offer, waiting or broadcast')
  },
  { env: media.env }
)
