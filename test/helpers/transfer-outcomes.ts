// How a transfer goes on and ends, each with the request that a node serves when it is killed.
import type { Role, TransferCase } from './transfer-case.js'

interface Request {
  readonly method?: 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

export interface Outcome {
  readonly name: string
  readonly before?: (users: TransferCase) => Promise<void>
  readonly by: Role
  readonly request?: (users: TransferCase) => Request
  /** Without a request: what the user receives when a timer has fired. */
  readonly firesWith?: string
  /** The client does not repeat the request: what happens afterwards depends on how far the node came. */
  readonly isAbandoned?: boolean
  readonly after?: (users: TransferCase) => Promise<void>
  /** Why the call ends for each, by events; undefined: it is not determined. */
  readonly ends: Readonly<Partial<Record<Role, readonly string[]>>> | undefined
}

/** Where no user answers, the ring time is RING_TIMEOUT_MS. */
const LONG = { ringTimeoutMs: 60_000 }

const ring =
  (more: object = LONG) =>
  (users: TransferCase) =>
    users.transfer('alice', 'carol', more)

const toCarol =
  (more: object = LONG) =>
  (users: TransferCase) => ({ path: `${users.callId()}/transfer`, body: { ...more, to: users.user('carol') } })

/** alice talks with carol, too. */
const consult = (users: TransferCase) =>
  users.connect('alice', 'carol', { callId: users.callId('other'), consultationOf: users.callId() })

const toOther = (users: TransferCase) => ({ ...LONG, toCall: users.callId('other') })

const act = (action: string) => (users: TransferCase) => ({ path: `${users.callId()}/${action}` })

/** The call of alice and bob is as it was. */
async function goesOn(users: TransferCase): Promise<void> {
  await users.receive('bob', 'call.transfer_failed')
  await users.post('alice', 'connected')
  await users.post('bob', 'hangup')
}

/** bob is in the call with the target. */
async function isTransferred(users: TransferCase): Promise<void> {
  await users.receive('bob', 'call.transferred')
  await users.post('bob', 'hangup')
}

export const OUTCOMES: readonly Outcome[] = [
  {
    name: 'begun, and accepted at the other node',
    ...{ by: 'alice', request: toCarol() },
    async after(users) {
      await users.receive('carol', 'call.incoming')
      await users.post('carol', 'accept')
      await isTransferred(users)
    },
    ends: { alice: ['transferred'], carol: ['hangup'] }
  },
  {
    name: 'begun by a client that gives up',
    ...{ by: 'alice', request: toCarol({}), isAbandoned: true },
    after: users => users.post('alice', 'hangup'),
    ends: undefined
  },
  {
    name: 'begun by both at once',
    ...{ by: 'alice', request: toCarol(), isAbandoned: true },
    async after(users) {
      const { status } = await users.client('bob').request('POST', `calls/${users.callId()}/transfer`, {
        to: users.user('dave'),
        ...LONG
      })
      const [other, target] = status === 200 ? (['alice', 'dave'] as const) : (['bob', 'carol'] as const)
      await users.receive(target, 'call.incoming')
      await users.post(target, 'accept')
      await users.receive(other, 'call.transferred')
      await users.post(other, 'hangup')
      await users.receive(target, 'call.ended')
    },
    ends: undefined
  },
  {
    name: 'accepted',
    ...{ before: ring(), by: 'carol', request: act('accept') },
    async after(users) {
      await users.receive('alice', 'call.ended')
      await isTransferred(users)
    },
    ends: { alice: ['transferred'], carol: ['hangup'] }
  },
  {
    name: 'back to the user who has transferred the call',
    async before(users) {
      await ring()(users)
      await users.post('carol', 'accept')
      await users.receive('bob', 'call.transferred')
      await users.receive('alice', 'call.ended')
      await users.post('carol', 'connected')
      await users.receive('bob', 'call.connected')
      await users.transfer('carol', 'alice', LONG)
    },
    ...{ by: 'alice', request: act('accept') },
    async after(users) {
      await users.receive('carol', 'call.ended')
      await isTransferred(users)
    },
    ends: { alice: ['transferred', 'hangup'], carol: ['transferred'] }
  },
  {
    name: 'declined',
    ...{ before: ring(), by: 'carol', request: act('reject'), after: goesOn },
    ends: { alice: ['hangup'] }
  },
  {
    name: 'taken back',
    ...{ before: ring(), by: 'alice', after: goesOn },
    request: users => ({ method: 'DELETE', path: `${users.callId()}/transfer` }),
    ends: { alice: ['hangup'], carol: ['cancelled'] }
  },
  {
    name: 'left by the transferor, and accepted',
    ...{ before: ring(), by: 'alice', request: act('hangup') },
    async after(users) {
      await users.post('carol', 'accept')
      await isTransferred(users)
    },
    ends: { carol: ['hangup'] }
  },
  {
    name: 'ended by the other party',
    ...{ before: ring(), by: 'bob', request: act('hangup') },
    ends: { alice: ['hangup'], carol: ['cancelled'] }
  },
  {
    name: 'to a target that accepts another call',
    async before(users) {
      await ring()(users)
      await users.client('dave').post('calls', { ...LONG, callId: users.callId('other'), to: users.user('carol') })
      await users.receive('carol', 'call.incoming', users.callId('other'))
    },
    by: 'carol',
    request: users => ({ path: `${users.callId('other')}/accept` }),
    async after(users) {
      await goesOn(users)
      await users.client('carol').post(`calls/${users.callId('other')}/hangup`)
    },
    ends: { alice: ['hangup'], carol: ['busy'] }
  },
  {
    name: 'attended, and accepted at the other node',
    ...{ before: consult, by: 'alice' },
    request: users => ({ path: `${users.callId()}/transfer`, body: toOther(users) }),
    async after(users) {
      await users.receive('carol', 'call.incoming')
      await users.post('carol', 'accept')
      await isTransferred(users)
    },
    ends: { alice: ['transferred'], carol: ['hangup'] }
  },
  {
    name: 'attended, and accepted',
    async before(users) {
      await consult(users)
      await users.post('alice', 'transfer', toOther(users))
      await users.receive('carol', 'call.incoming')
    },
    ...{ by: 'carol', request: act('accept') },
    async after(users) {
      await users.receive('alice', 'call.ended')
      await users.receive('alice', 'call.ended', users.callId('other'))
      await isTransferred(users)
    },
    ends: { alice: ['transferred'], carol: ['hangup'] }
  },
  {
    name: 'attended, and declined',
    async before(users) {
      await consult(users)
      await users.post('alice', 'transfer', toOther(users))
      await users.receive('carol', 'call.incoming')
    },
    ...{ by: 'carol', request: act('reject') },
    async after(users) {
      await goesOn(users)
      await users.client('alice').post(`calls/${users.callId('other')}/hangup`)
    },
    ends: { alice: ['hangup'] }
  }
]

/** A timer fires on one of the nodes. */
export const TIMED: readonly Outcome[] = [
  {
    name: 'not answered',
    ...{ before: ring({}), by: 'bob', firesWith: 'call.transfer_failed' },
    async after(users) {
      await users.post('alice', 'connected')
      await users.post('bob', 'hangup')
    },
    ends: { alice: ['hangup'], carol: ['no_answer'] }
  },
  {
    name: 'left by the transferor, and not answered',
    async before(users) {
      await ring({})(users)
      await users.post('alice', 'hangup')
    },
    ...{ by: 'bob', firesWith: 'call.ended' },
    ends: { bob: ['no_answer'], carol: ['no_answer'] }
  }
]
