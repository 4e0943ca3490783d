// Transfers as users of the SDK see them: the Call objects of the transferor, of the party that stays, and of the target.
import t from 'tap'
import type { Call } from '../../packages/client/src/index.js'
import { until } from '../helpers/until.js'
import { areConnected, codeOf, connected, type Rule, testRules } from './call-rules.js'
import { type Connect, incoming, next, withChannel } from './people.js'

/** Alice and bob are connected, and carol is there. */
async function threeUsers(connect: Connect) {
  const parties = await connected(connect)
  const carol = await connect('carol')
  return { ...parties, carol, rings: incoming(carol) }
}

/** What was emitted, in order. */
function logOf(call: Call): string[] {
  const log: string[] = []
  call.on('transferring', ({ by, to, left }) => log.push(`${by?.user} to ${to.user}${left ? ', left' : ''}`))
  call.on('transfer_failed', ({ to, reason }) => log.push(`${to.user} ${reason}`))
  call.on('transferred', ({ by }) => log.push(`transferred by ${by?.user}`))
  for (const type of ['ringing', 'accepted', 'connected'] as const) call.on(type, () => log.push(type))
  call.on('ended', ({ reason }) => log.push(`ended ${reason}`))
  return log
}

const RULES: Record<string, Rule> = {
  'the callee transfers: the target takes its place in the same Call object': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    const [atAlice, atBob, before] = [logOf(call), logOf(answered), call.peerConnection]
    t.equal(await answered.transfer({ to: 'carol' }), answered)
    t.match(answered.pendingTransfer, { by: 'callee', to: { user: 'carol', device: null } })
    const target = await rings
    t.match(target, { peer: { user: 'alice' }, transferredBy: { user: 'bob' }, startedBy: null, replaces: null })
    await until('alice knows', () => atAlice.includes('ringing'))
    t.match(call.pendingTransfer, { by: 'callee', to: { user: 'carol' } })
    t.same([call.state, call.peer?.user], ['connected', 'bob'])
    await target.accept(withChannel)
    await areConnected(call, target)
    t.match(call, { direction: 'outgoing', peer: { user: 'carol' }, pendingTransfer: null, reason: null })
    t.not(call.peerConnection, before)
    t.equal(before?.connectionState, 'closed')
    t.same(atAlice, ['bob to carol', 'ringing', 'accepted', 'transferred by bob', 'connected'])
    await until('bob has left', () => answered.state === 'ended')
    t.same(atBob, ['bob to carol', 'ringing', 'ended transferred'])
    await target.hangup()
    await until('it has ended for alice', () => call.reason === 'hangup')
  },

  'the caller transfers: the callee becomes the caller, and the target makes the offer': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    const log = logOf(answered)
    await call.transfer({ to: { user: 'carol' } })
    const target = await rings
    t.match(target, {
      direction: 'incoming',
      peer: { user: 'bob' },
      transferredBy: { user: 'alice' },
      offerer: 'callee'
    })
    await target.accept(withChannel)
    await areConnected(answered, target)
    t.match(answered, { direction: 'outgoing', peer: { user: 'carol' }, from: { user: 'bob' } })
    t.same(log.slice(-3), ['accepted', 'transferred by alice', 'connected'])
    await until('alice has left', () => call.reason === 'transferred')
  },

  'a target who declines leaves the call as it was': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    const [atAlice, atBob] = [logOf(call), logOf(answered)]
    const { peerConnection: connection, expiresAt } = call
    await answered.transfer({ to: 'carol' })
    t.equal(await codeOf(answered.transfer({ to: 'dave' })), 'transfer_pending')
    await (await rings).reject()
    await until('both know', () => [atAlice, atBob].every(log => log.includes('carol declined')))
    t.same([call.pendingTransfer, answered.pendingTransfer], [null, null])
    t.same([call.state, call.peer?.user, answered.state], ['connected', 'bob', 'connected'])
    t.equal(call.peerConnection, connection)
    t.equal(connection?.connectionState, 'connected')
    t.equal(call.expiresAt, expiresAt, 'the time to ring was that of the target')
    t.equal(await codeOf(answered.transfer({ to: 'nobody' })), 'callee_unreachable')
  },

  'the transferor takes the transfer back': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    const [atAlice, atBob] = [logOf(call), logOf(answered)]
    await answered.transfer({ to: 'carol' })
    const target = await rings
    const ended = next(target, 'ended')
    await answered.cancelTransfer()
    t.match(await ended, { reason: 'cancelled' })
    t.equal(answered.pendingTransfer, null)
    await until('both know', () => [atAlice, atBob].every(log => log.includes('carol cancelled')))
    await areConnected(call, answered)
    await answered.cancelTransfer()
    t.equal(atBob.filter(line => line === 'carol cancelled').length, 1)
  },

  'a transferor who hangs up leaves the other party waiting for the target': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    const log = logOf(call)
    await answered.transfer({ to: 'carol' })
    const target = await rings
    await answered.hangup()
    await until('alice waits', () => call.state === 'ringing')
    t.match(call, { direction: 'outgoing', peer: { user: 'carol', device: null }, pendingTransfer: null })
    await target.accept(withChannel)
    await areConnected(call, target)
    t.ok(log.includes('bob to carol, left'))
    t.same(log.slice(-3), ['accepted', 'transferred by bob', 'connected'])
  },

  'a target who declines after the transferor has left ends the call': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    await call.transfer({ to: 'carol' })
    const target = await rings
    await call.hangup()
    await until('bob waits', () => answered.state === 'ringing')
    const ended = next(answered, 'ended')
    await target.reject()
    t.match(await ended, { reason: 'declined' })
  },

  'hold ends with a transfer, and what is muted stays muted': async (t, connect) => {
    const { call, answered, rings } = await threeUsers(connect)
    await Promise.all([answered.hold(true), call.hold(true)])
    await call.mute({ audio: true })
    await until('both are held', () => call.held.remote && answered.held.remote)
    const held = next(call, 'held')
    await answered.transfer({ to: 'carol' })
    const target = await rings
    const media = next(target, 'media')
    await target.accept(withChannel)
    t.same(await held, { local: false, remote: false })
    t.match(await media, { audio: false })
    await areConnected(call, target)
  },

  'after a consultation the other two are joined in the older call': async (t, connect) => {
    const { bob, call, answered, carol, rings } = await threeUsers(connect)
    await answered.hold(true)
    const consultation = await bob.call('carol', { consultationOf: answered.id, ...withChannel })
    const asked = await rings
    await asked.accept()
    await areConnected(consultation, asked)
    const [atAlice, atBob, joins] = [logOf(call), logOf(answered), incoming(carol)]
    t.equal(await consultation.transfer({ toCall: answered.id }), answered, 'from either call')
    t.match(answered.pendingTransfer, { by: 'callee', to: { user: 'carol' }, toCall: consultation.id })
    const target = await joins
    t.match(target, { replaces: asked.id, transferredBy: { user: 'bob' }, peer: { user: 'alice' } })
    await target.accept(withChannel)
    await areConnected(call, target)
    await until('the consultation has ended', () => [consultation, asked].every(each => each.reason === 'transferred'))
    t.same([atBob[0], atBob.at(-1)], ['bob to carol', 'ended transferred'])
    t.same(atAlice.slice(-3), ['accepted', 'transferred by bob', 'connected'])
    t.same([bob.calls.size, carol.calls.size], [0, 1])
  },

  'a consulted user who declines leaves both calls': async (t, connect) => {
    const { bob, call, answered, carol, rings } = await threeUsers(connect)
    const consultation = await bob.call('carol', { consultationOf: answered.id, ...withChannel })
    const asked = await rings
    await asked.accept()
    await areConnected(consultation, asked)
    const [failed, joins] = [next(call, 'transfer_failed'), incoming(carol)]
    await answered.transfer({ toCall: consultation.id })
    await (await joins).reject()
    t.match(await failed, { to: { user: 'carol' }, reason: 'declined' })
    await areConnected(call, answered, consultation, asked)
  },

  'a call goes round: a transferor may be the target of the next transfer': async (t, connect) => {
    const { bob, call, answered, rings } = await threeUsers(connect)
    await answered.transfer({ to: 'carol' })
    const atCarol = await rings
    await atCarol.accept(withChannel)
    await areConnected(call, atCarol)
    const back = incoming(bob)
    await atCarol.transfer({ to: 'bob' })
    const again = await back
    t.not(again, answered)
    await again.accept(withChannel)
    await areConnected(call, again)
    t.same([call.peer?.user, atCarol.reason, again.transferredBy?.user], ['bob', 'transferred', 'carol'])
  }
}

testRules(t, RULES)
