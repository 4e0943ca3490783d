// Candidates in the forms that platforms make, in calls and in rooms: what the other side receives, and what is refused.
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidate, candidates, sdp } from '../helpers/sdp.js'
import type { TestClient } from '../helpers/test-client.js'

const LINE = candidate(1).candidate

interface Place {
  readonly from: TestClient
  readonly to: TestClient
  readonly path: string
  /** Members of every body. */
  readonly body: object
  /** Members of a description. */
  readonly peer: object
}

/** Two who have exchanged descriptions in a call, and two in a room. */
async function places(scenario: Scenario): Promise<[inCall: Place, toOne: Place, toAll: Place]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.post('calls/c1/offer', { sdp: sdp('aliceA') })
  await bob.expectEvent('signal.offer')
  await alice.expectEvent('call.accepted')

  const carol = await scenario.addClient('carol', 'phone')
  const dave = await scenario.addClient('dave', 'phone', { node: scenario.lastNode })
  await carol.post('rooms/r1/participants')
  const { participantId } = await dave.post('rooms/r1/participants')
  await carol.expectEvent('room.participant_joined')
  await carol.post('rooms/r1/offer', { to: participantId, sdp: sdp('carolA') })
  await dave.expectEvent('signal.offer')
  const peer = { to: participantId }
  return [
    { from: alice, to: bob, path: 'calls/c1/candidates', body: {}, peer: {} },
    { from: carol, to: dave, path: 'rooms/r1/candidates', body: peer, peer },
    { from: carol, to: dave, path: 'rooms/r1/candidates', body: {}, peer }
  ]
}

const ROWS: readonly (readonly [what: string, body: object, received: object])[] = [
  [
    'toJSON() with nulls',
    { candidates: [{ candidate: LINE, sdpMid: '0', sdpMLineIndex: null, usernameFragment: null }] },
    { candidates: [{ candidate: LINE, sdpMid: '0' }], end: false }
  ],
  [
    'a line with a= and CRLF',
    { candidates: [{ candidate: `a=${LINE}\r\n`, sdpMid: '0' }] },
    { candidates: [{ candidate: LINE, sdpMid: '0' }], end: false }
  ],
  ['a bare string', { candidates: [LINE] }, { candidates: [{ candidate: LINE, sdpMLineIndex: 0 }], end: false }],
  [
    'members of RTCIceCandidate',
    { candidates: [{ ...candidate(2), type: 'host', port: 1, relatedPort: null }] },
    { candidates: [candidate(2)], end: false }
  ],
  ['a candidate as the body', { ...candidate(3), foundation: '3' }, { candidates: [candidate(3)], end: false }],
  ['null behind a candidate', { candidates: [candidate(4), null] }, { candidates: [candidate(4)], end: true }]
]
const ENDS: readonly (readonly [what: string, body: object])[] = [
  ['null', { candidates: [null] }],
  ['a null candidate', { candidates: [{ candidate: null }] }],
  ['a null candidate as the body', { candidate: null }],
  ['an empty candidate', { candidates: [{ candidate: '' }] }],
  ['end alone', { end: true }]
]

flow('candidates in every form arrive in canonical form', async (t, scenario) => {
  for (const { from, to, path, body } of await places(scenario)) {
    for (const [what, form, received] of ROWS) {
      t.match(await from.post(path, { ...body, ...form }), {
        accepted: 1,
        held: { length: 0 },
        rejected: { length: 0 }
      })
      const { candidates: list, end } = await to.expectEvent('signal.candidates')
      t.strictSame({ candidates: list, end }, received, `${path}: ${what}`)
    }
    for (const [what, form] of ENDS) {
      t.match(await from.post(path, { ...body, ...form }), { accepted: 0, rejected: { length: 0 } })
      t.match(await to.expectEvent('signal.candidates'), { candidates: { length: 0 }, end: true }, `${path}: ${what}`)
    }
  }
})

flow('each form of a candidate is accepted as the body', async (t, scenario) => {
  const [inCall, , toAll] = await places(scenario)
  for (const { from, to, path } of [inCall, toAll]) {
    const bodies: readonly (readonly [body: object | string | null, received: object])[] = [
      [candidate(5), { candidates: [candidate(5)], end: false }],
      [`a=${LINE}\r\n`, { candidates: [{ candidate: LINE, sdpMLineIndex: 0 }], end: false }],
      [[candidate(5), null], { candidates: [candidate(5)], end: true }],
      [null, { candidates: [], end: true }],
      ['', { candidates: [], end: true }]
    ]
    for (const [body, received] of bodies) {
      await from.post(path, body)
      const { candidates: list, end } = await to.expectEvent('signal.candidates')
      t.strictSame({ candidates: list, end }, received, `${path}: ${JSON.stringify(body)}`)
    }
    await from.expectRefusal('invalid_candidate', path, 'hello')
    await from.expectRefusal('invalid_request', path, [])
  }
})

flow('what cannot be a candidate is refused by name, and the rest of its batch is sent', async (t, scenario) => {
  for (const { from, to, path, body } of await places(scenario)) {
    const none = { candidate: LINE, sdpMid: null, sdpMLineIndex: null }
    const refused = await from.expectRefusal('invalid_candidate', path, { ...body, candidates: [none] })
    t.match(refused, { detail: /sdpMid and sdpMLineIndex/, rejected: [{ index: 0, code: 'invalid_candidate' }] })
    const [badUfrag, badMid, badIndex] = [
      { ...candidate(3), usernameFragment: 'a b' },
      { ...candidate(4), sdpMid: 'm'.repeat(129) },
      { ...candidate(5), sdpMLineIndex: 65_536 }
    ]
    const mixed = [candidate(1), none, badUfrag, badMid, badIndex, candidate(2)]
    t.match(await from.post(path, { ...body, candidates: mixed }), {
      accepted: 2,
      rejected: [
        { index: 1, code: 'invalid_candidate', detail: /sdpMid and sdpMLineIndex/ },
        { index: 2, code: 'invalid_candidate', detail: /usernameFragment/ },
        { index: 3, code: 'invalid_candidate', detail: /sdpMid/ },
        { index: 4, code: 'invalid_candidate', detail: /sdpMLineIndex/ }
      ]
    })
    t.match(await to.expectEvent('signal.candidates'), { candidates: [candidate(1), candidate(2)] })
    await from.expectRefusal('invalid_request', path, body)
    const wrongType = { ...body, candidates: [{ candidate: LINE, sdpMid: 0 }] }
    t.match(await from.expectRefusal('invalid_request', path, wrongType), {
      detail: /body\/candidates\/0\/sdpMid must be string/
    })
  }
})

flow(
  'after an ICE restart the new candidates of a batch are sent and the old ones are rejected',
  async (t, scenario) => {
    for (const [round, { from, to, path, body, peer }] of (await places(scenario)).entries()) {
      const [old, current, next] = [`old${round}`, `current${round}`, `next${round}`]
      for (const ufrag of [old, current]) {
        await from.post(path.replace('candidates', 'offer'), { ...peer, sdp: sdp(ufrag) })
        await to.expectEvent('signal.offer')
      }
      const mixed = [candidate(1, old), ...candidates(2, current, 2)]
      t.match(await from.post(path, { ...body, candidates: mixed }), {
        accepted: 2,
        held: { length: 0 },
        rejected: [{ index: 0, code: 'stale_candidate' }]
      })
      t.match(await to.expectEvent('signal.candidates'), { candidates: mixed.slice(1) })
      const refused = await from.expectRefusal('stale_candidate', path, { ...body, candidates: mixed.slice(0, 1) })
      t.match(refused, { rejected: [{ index: 0, code: 'stale_candidate' }] })
      t.match(await from.post(path, { ...body, candidates: [candidate(9, next)] }), {
        accepted: 1,
        held: [{ index: 0, reason: 'unknown_ufrag' }]
      })
    }
  }
)
