// Explores every state of the lease protocol (docs/decisions/0007-leases.md): all interleavings of the processes of a scenario. A process may
// crash before any step, and a lease may count as old at any time.
//
// A user has at most `slots` active leases (own outgoing calls, answered incoming calls) and any number of ringing ones, one for each peer. A lease
// is held by an attempt of a create, named by call id, caller and attempt (`C/a/1`). Under a call id there is a call, or tombstones by caller, or
// nothing. A request to the store may throw although it is executed, at once, later or never. The create whose request threw closes its
// attempt and releases what the attempt took, and a retry is the next attempt.
// A call may ring several users: all at once, or each (`waiting`) after the one before has rejected it. A user who is not free is left out. The
// caller's lease then has no peer. When one accepts, the commit releases the leases of the others; when one rejects, its own.
//   I1: no user is in more active calls than there are slots: caller of a live call, or callee of an accepted one.
//   I2: when no process runs and none has crashed, every lease belongs to a live call or will be released.
//   I3: a live call has its caller's active lease, and that of each user for whom it rings, and an active one of the user who has accepted.
//   I4: a retry of a create that threw is not refused because of the throw.
// Usage: node leases.mjs [RULE] [SCENARIO] [CRASHES]. Without arguments it explores everything. A RULE is broken on purpose:
export const RULES = {
  'release-without-tombstone': 'a failed create releases its leases without writing a tombstone first',
  'take-over-without-tombstone': 'a lease without a call is taken over without a tombstone for the call',
  'accept-before-upgrade': "accept commits before it upgrades the callee's lease",
  'downgrade-after-conflict': 'an accept whose commit conflicts downgrades its lease again',
  'keep-on-other-caller': "a create whose id is another caller's call keeps its leases",
  'keep-on-other-callee': 'a create whose id is its own call to another callee keeps its leases',
  'holder-without-caller': 'leases name only the call id',
  'merge-without-upgrade': "a glare merge accepts without upgrading its user's lease",
  'accept-keeps-retaken': 'an accept keeps a lease that it took again although the call has ended',
  'merge-keeps-retaken': 'a glare merge keeps a lease that it took again although the call has ended',
  'check-keeps-retaken': 'a check keeps a lease that it took again although the call has ended',
  'next-attempt-keeps-leases': 'a create that goes on as the next attempt keeps the leases of the closed one',
  'failure-is-final': 'a create that throws leaves a tombstone that refuses every retry',
  'closed-attempt-commits': 'an attempt that was closed may still make its call',
  'holder-without-attempt': 'leases do not name the attempt',
  'accept-keeps-others': 'an accept does not release the leases of the other users for whom the call rang',
  'reject-keeps-lease': "a reject does not release its user's lease while the call rings for others",
  'loser-keeps-retaken': 'a user who loses the accept to another user keeps a lease that it took again',
  'left-out-rings': 'a create rings a user whose lease it could not take',
  'ring-before-lease': 'a waiting user rings before its lease is taken',
  'waiting-is-stale': 'a lease on a waiting user is taken over',
  'turn-keeps-retaken': 'the turn of a waiting user keeps its lease although the call has ended'
}
const create = (id, caller, ...callees) => ({ kind: 'create', id, caller, callee: callees[0], callees })
/** The first rings, the others wait. */
const createSequence = (id, caller, ...callees) => ({ ...create(id, caller, ...callees), isSequence: true })
/** A node rings the callee, who waits, once no other user rings. */
const turn = (id, caller, callee) => ({ kind: 'turn', id, caller, callee })
/** A retry of the caller, after a create has thrown. */
const retry = (id, caller, callee) => ({ ...create(id, caller, callee), isRetry: true })
const accept = (id, caller, callee) => ({ kind: 'accept', id, caller, callee })
const check = (id, caller, callee) => ({ kind: 'check', id, caller, callee })
// `throws`: in the first `throws` processes, that many requests throw in total. `crashes`: how many processes may crash; default 1.
export const SCENARIOS = {
  // two users call each other, one of them twice
  crossing: { slots: 1, crashes: 0, processes: [create('C', 'a', 'b'), create('D', 'b', 'a'), create('C', 'a', 'b')] },
  // two callers choose one id, one of them while it is called itself
  sameId: { slots: 1, processes: [create('C', 'a', 'b'), create('C', 'e', 'b'), create('D', 'b', 'e')] },
  // one caller chooses one id for two callees
  twoCallees: { slots: 1, processes: [create('C', 'a', 'b'), create('C', 'a', 'e'), create('C', 'a', 'b')] },
  // a user accepts two calls at once
  answering: {
    slots: 1,
    processes: [create('C', 'a', 'b'), create('D', 'e', 'b'), accept('C', 'a', 'b'), accept('D', 'e', 'b')]
  },
  // two devices of a user accept one call while the user also calls out
  devices: {
    slots: 1,
    processes: [create('C', 'a', 'b'), create('F', 'b', 'e'), accept('C', 'a', 'b'), accept('C', 'a', 'b')]
  },
  // one device calls back, which is an accept, while another one accepts
  merging: { slots: 1, processes: [create('C', 'a', 'b'), create('D', 'b', 'a'), accept('C', 'a', 'b')] },
  // one device calls back while another one calls out
  callingBack: {
    slots: 1,
    crashes: 0,
    processes: [create('C', 'a', 'b'), create('D', 'b', 'a'), create('F', 'b', 'e')]
  },
  // two slots for each user, which three calls compete for
  twoSlots: {
    slots: 2,
    crashes: 1,
    processes: [
      create('C', 'a', 'b'),
      create('D', 'e', 'b'),
      create('F', 'b', 'g'),
      accept('C', 'a', 'b'),
      accept('D', 'e', 'b')
    ]
  },
  // a create throws and is tried again while the callee calls back
  retrying: {
    slots: 1,
    crashes: 0,
    throws: 1,
    processes: [create('C', 'a', 'b'), retry('C', 'a', 'b'), create('D', 'b', 'a')]
  },
  // the retry is for another callee, may throw, too, and is accepted
  retryingElsewhere: {
    slots: 1,
    crashes: 0,
    throws: 2,
    processes: [create('C', 'a', 'b'), retry('C', 'a', 'e'), accept('C', 'a', 'e')]
  },
  // two callers choose one id, one of them throws and retries
  retryingSameId: {
    slots: 1,
    throws: 1,
    processes: [create('C', 'a', 'b'), create('C', 'a', 'b'), create('C', 'e', 'b')]
  },
  // a check takes missing leases again while the call is accepted and ends
  checking: {
    slots: 1,
    processes: [create('C', 'a', 'b'), accept('C', 'a', 'b'), check('C', 'a', 'b'), create('D', 'b', 'e')]
  },
  // two users accept one call, and one of them calls out
  several: {
    slots: 1,
    processes: [create('C', 'a', 'b', 'e'), accept('C', 'a', 'b'), accept('C', 'a', 'e'), create('D', 'b', 'g')]
  },
  // one of several calls the caller, too
  severalCrossing: {
    slots: 1,
    processes: [create('C', 'a', 'b', 'e'), create('D', 'b', 'a'), accept('C', 'a', 'e')]
  },
  // users ring one after the other, and two nodes give the second one its turn
  sequence: {
    slots: 1,
    processes: [createSequence('C', 'a', 'b', 'e'), turn('C', 'a', 'e'), turn('C', 'a', 'e'), accept('C', 'a', 'e')]
  },
  // the user who waits calls out, and calls the caller
  sequenceBusy: {
    slots: 1,
    crashes: 0,
    processes: [createSequence('C', 'a', 'b', 'e'), turn('C', 'a', 'e'), create('D', 'e', 'a'), create('F', 'e', 'g')]
  }
}
const STATES_MAX = 2_000_000

/**
 * Visits every reachable state. Returns how many there are, and the first violation of an invariant. `attempts`: the highest attempt that made a
 * call. Single letters: s a state, t its successor; p a process, q the same in the successor; h a lease holder; u a user.
 */
export function explore(scenarioName, rule = 'sound', crashes = SCENARIOS[scenarioName].crashes ?? 1) {
  const { slots, throws = 0, processes: PROCESSES } = SCENARIOS[scenarioName]
  const holder = (id, caller, attempt) => {
    if (rule === 'holder-without-caller') return id
    return rule === 'holder-without-attempt' ? `${id}/${caller}` : `${id}/${caller}/${attempt}`
  }
  const callerIn = h => h.split('/')[1]
  const attemptIn = h => Number(h.split('/')[2] ?? Number.NaN)
  const users = [...new Set(PROCESSES.flatMap(p => [p.caller, ...(p.callees ?? [p.callee])]))].sort()
  const init = {
    lease: Object.fromEntries(users.map(u => [u, {}])),
    call: Object.fromEntries(
      PROCESSES.map(p => [
        p.id,
        {
          state: 'none',
          caller: '',
          attempt: 0,
          // The users whom it calls: waiting, ringing, answered or ended.
          called: {},
          tombstones: '',
          closedAttempts: {},
          isFailureFinal: false,
          releases: []
        }
      ])
    ),
    // Without a throw every attempt is the first, so the read before the leases (START) is left out.
    processes: PROCESSES.map(({ kind }) =>
      kind === 'create' ? { pc: throws > 0 ? 'START' : 'TAKE0', attempt: 1 } : { pc: 'READ' }
    ),
    crashes: 0,
    throws: 0,
    // Requests that threw, and are executed later or never.
    late: [],
    mayLeak: false
  }
  const clone = s => ({
    lease: Object.fromEntries(Object.entries(s.lease).map(([u, held]) => [u, { ...held }])),
    call: Object.fromEntries(
      Object.entries(s.call).map(([id, call]) => [
        id,
        {
          ...call,
          called: { ...call.called },
          closedAttempts: { ...call.closedAttempts },
          releases: [...call.releases]
        }
      ])
    ),
    processes: s.processes.map(p => ({ ...p })),
    crashes: s.crashes,
    throws: s.throws,
    late: [...s.late],
    mayLeak: s.mayLeak
  })
  const callerOf = h => callerIn(h) ?? PROCESSES.find(p => p.kind === 'create' && p.id === h).caller
  const holderOfCall = (id, call) => holder(id, call.caller, call.attempt)
  const isLive = ({ state }) => state === 'ringing' || state === 'accepted'
  const peerOf = (h, user) => {
    const [id, caller] = h.split('/')
    const made = PROCESSES.find(
      p =>
        p.kind === 'create' &&
        p.id === id &&
        (caller === undefined || p.caller === caller) &&
        (p.caller === user || p.callees.includes(user))
    )
    return made?.caller === user ? peerOfCaller(made) : made?.caller
  }
  const peerOfCaller = ({ callees, callee }) => (callees?.length > 1 ? '' : callee)
  const activeOthers = (held, h) => Object.keys(held).filter(x => x !== h && held[x] === 'active')

  /** Whether a holder's lease on a user belongs to a live call, to no call yet ('none'), or to a call that has ended or cannot be created ('over'). */
  function statusOf(s, h, user) {
    const call = s.call[h.split('/')[0]]
    const caller = callerIn(h)
    if (call.state === 'none') return caller !== undefined && isClosed(call, caller, attemptIn(h)) ? 'over' : 'none'
    if (call.state === 'ended') return 'over'
    if (caller !== undefined && call.caller !== caller) return 'over'
    if (attemptIn(h) >= 0 && call.attempt !== attemptIn(h)) return 'over'
    if (call.called[user] === 'waiting' && rule === 'waiting-is-stale') return 'over'
    return call.caller === user || ['waiting', 'ringing', 'answered'].includes(call.called[user]) ? 'live' : 'over'
  }
  const isClosed = (call, caller, attempt) =>
    call.tombstones.includes(caller) || (call.closedAttempts[caller] ?? 0) >= attempt
  const writeTombstone = (s, id, caller, attempt) => {
    const call = s.call[id]
    if (call.state !== 'none' || isClosed(call, caller, attempt)) return
    call.tombstones = [...call.tombstones, caller].sort().join('')
    delete call.closedAttempts[caller]
  }
  const close = (s, { id, caller, attempt }) => {
    const call = s.call[id]
    if (call.state === 'none' && !isClosed(call, caller, attempt)) call.closedAttempts[caller] = attempt
  }
  const stampOf = ({ state, caller, tombstones, closedAttempts }) =>
    `${state},${caller},${tombstones},${users.map(u => closedAttempts[u])}`
  const make = (s, { id, caller, callees, attempt, leftOut = '', isSequence }) => {
    const called = {}
    for (const u of callees) {
      const waits = isSequence && Object.values(called).includes('ringing')
      called[u] = leftOut.includes(u) && rule !== 'left-out-rings' ? 'ended' : waits ? 'waiting' : 'ringing'
    }
    s.call[id] = { ...s.call[id], state: 'ringing', caller, called, attempt, tombstones: '', closedAttempts: {} }
  }
  const acceptCall = (call, id, u) => {
    const others = Object.keys(call.called).filter(each => each !== u && call.called[each] !== 'ended')
    call.state = 'accepted'
    for (const other of others) call.called[other] = 'ended'
    call.called[u] = 'answered'
    if (rule !== 'accept-keeps-others') release(call, id, ...others)
  }
  const ringsFor = (call, u) => call.state === 'ringing' && call.called[u] === 'ringing'
  /** No user rings, and this one waits. */
  const isTurnOf = (call, u) => call.called[u] === 'waiting' && !Object.values(call.called).includes('ringing')
  /** The call ends, or a part of it: the release of the leases is left in the outbox. */
  const release = (call, id, ...of) => {
    const h = holderOfCall(id, call)
    call.releases = [...new Set([...call.releases, ...of.map(u => `${h}>${u}`)])].sort()
  }
  const endCall = (call, id) => {
    call.state = 'ended'
    const left = Object.keys(call.called).filter(u => call.called[u] !== 'ended')
    release(call, id, call.caller, ...left)
  }
  const leave = (call, id, u) => {
    call.called[u] = 'ended'
    if (!Object.values(call.called).some(each => each === 'ringing' || each === 'waiting')) endCall(call, id)
    if (rule !== 'reject-keeps-lease') release(call, id, u)
  }
  /** Whether a create can take its lease on a user. */
  function isFree(s, p, u) {
    const held = s.lease[u]
    const h = holder(p.id, p.caller, p.attempt)
    return held[h] !== undefined || othersOf(s, p, u).length === 0
  }
  function othersOf(s, p, u) {
    const held = s.lease[u]
    const h = holder(p.id, p.caller, p.attempt)
    const isCaller = u === p.caller
    const full = isCaller && activeOthers(held, h).length >= slots
    const peer = isCaller ? peerOfCaller(p) : p.caller
    const hasPeer = x => peer !== '' && peerOf(x, u) === peer
    return Object.keys(held).filter(x => x !== h && (hasPeer(x) || (full && held[x] === 'active')))
  }
  const take = (s, p, u) => {
    s.lease[u][holder(p.id, p.caller, p.attempt)] ??= u === p.caller ? 'active' : 'ringing'
  }

  function steps(s, k) {
    const p = { ...PROCESSES[k], ...s.processes[k] }
    const successors = []
    const go = change => {
      const t = clone(s)
      const q = t.processes[k]
      change(t, q)
      if (q.pc === 'DONE' && q.closed && p.pc !== 'RELEASE_CLOSED1' && rule !== 'next-attempt-keeps-leases')
        q.pc = 'RELEASE_CLOSED0'
      successors.push(t)
    }
    const call = s.call[p.id]
    const h = p.kind === 'create' ? holder(p.id, p.caller, p.attempt) : holderOfCall(p.id, call)
    // The indexes of the users whose leases belong to no live call when the create gives up.
    const unbacked = t =>
      leased
        .map((_, i) => i)
        .filter(i => statusOf(t, h, user(i)) !== 'live' || rule === 'release-without-tombstone')
        .join('')
    // Whose leases the create takes: in a sequence, that of the first user who rings.
    const ringing = (p.callees ?? [p.callee]).filter(u => !(p.leftOut ?? '').includes(u))
    const leased = [p.caller, ...(p.isSequence ? ringing.slice(0, 1) : (p.callees ?? [p.callee]))].sort()
    const user = i => leased[i]
    const step = Number(p.pc.at(-1))
    const mine = call.caller === p.caller
    if (p.pc === 'START') {
      // Unless there is a call or a tombstone, the retry is the next attempt.
      if (p.isRetry && s.throws === 0) return []
      const isRefused = call.tombstones.includes(p.caller) && call.isFailureFinal
      if (call.state !== 'none' || call.tombstones.includes(p.caller))
        go((_, q) => Object.assign(q, { pc: 'DONE', isRefused }))
      else go((_, q) => Object.assign(q, { pc: 'TAKE0', attempt: (call.closedAttempts[p.caller] ?? 0) + 1 }))
    } else if (p.pc.startsWith('TAKE') && p.pc !== 'TAKE_OVER') {
      const u = user(step)
      const others = othersOf(s, p, u)
      const pc = step + 1 < leased.length ? `TAKE${step + 1}` : 'COMMIT'
      if (p.callees.length > 1 && (p.leftOut ?? '').includes(u))
        go((_, q) => {
          q.pc = pc
        })
      else if (isFree(s, p, u))
        go((t, q) => {
          take(t, p, u)
          q.pc = pc
        })
      else for (const other of others) go((_, q) => Object.assign(q, { pc: 'JUDGE', other, user: u, resumeAt: p.pc }))
    } else if (p.pc === 'JUDGE') {
      const [id] = p.other.split('/')
      const what = statusOf(s, p.other, p.user)
      const theirs = s.call[id]
      if (what === 'over')
        go((_, q) => {
          q.pc = 'TAKE_OVER'
        })
      else if (what === 'none') {
        if (rule === 'take-over-without-tombstone')
          go((_, q) => {
            q.pc = 'TAKE_OVER'
          })
        else go(t => writeTombstone(t, id, callerOf(p.other), attemptIn(p.other)))
        go((_, q) => Object.assign(q, { pc: p.resumeAt, other: undefined }))
      } else if (p.callees.length === 1 && theirs.caller === p.callee && ringsFor(theirs, p.caller))
        go((_, q) => {
          q.pc = rule === 'merge-without-upgrade' ? 'MERGE_TOMBSTONE' : 'MERGE'
        })
      else if (p.user !== p.caller && ringing.length > 1)
        // One of several is not free: it is left out, and the leases are taken again.
        go((_, q) => Object.assign(q, { pc: 'TAKE0', other: undefined, leftOut: `${p.leftOut ?? ''}${p.user}` }))
      else go((_, q) => Object.assign(q, { pc: 'REFUSED', other: undefined }))
    } else if (p.pc === 'TAKE_OVER')
      go((t, q) => {
        delete t.lease[p.user][p.other]
        Object.assign(q, { pc: p.resumeAt, other: undefined })
      })
    else if (p.pc === 'MERGE') {
      // The peer's call rings for this create's caller, whose lease must be active before the accept. A missing lease is taken again.
      const held = s.lease[p.caller]
      const isFull = activeOthers(held, p.other).length >= slots
      const hasPeer = Object.keys(held).some(x => x !== p.other && peerOf(x, p.caller) === p.callee)
      if (held[p.other] !== 'active' && (isFull || (hasPeer && !held[p.other])))
        go((_, q) => {
          q.pc = 'REFUSED'
        })
      else
        go((t, q) => {
          t.lease[p.caller][p.other] = 'active'
          q.pc = 'MERGE_READ'
        })
    } else if (p.pc === 'MERGE_READ') {
      const isOver = statusOf(s, p.other, p.caller) === 'over' && rule !== 'merge-keeps-retaken'
      go((_, q) => {
        q.pc = isOver ? 'MERGE_RELEASE' : 'MERGE_TOMBSTONE'
      })
    } else if (p.pc === 'MERGE_RELEASE') {
      go((t, q) => {
        delete t.lease[p.caller][p.other]
        Object.assign(q, { pc: p.resumeAt, other: undefined })
      })
    } else if (p.pc === 'MERGE_TOMBSTONE')
      go((t, q) => {
        writeTombstone(t, p.id, p.caller, p.attempt)
        Object.assign(q, { pc: 'RELEASE0', free: unbacked(t), merge: !(isLive(call) && mine) })
      })
    else if (p.pc === 'COMMIT')
      go((t, q) => {
        Object.assign(q, { pc: 'RELEASE0', free: unbacked(t) })
        const isOpen = !isClosed(
          call,
          p.caller,
          rule === 'closed-attempt-commits' ? Number.POSITIVE_INFINITY : p.attempt
        )
        if (call.state === 'none' && isOpen) {
          make(t, p)
          q.pc = 'DONE'
        } else if (call.state === 'none' && !call.tombstones.includes(p.caller)) {
          // Another create of this attempt threw: the commit conflicts, and this create goes on as the next attempt. When it is done, it releases
          // the leases of the closed attempt.
          const closed = `${p.closed ?? ''}${p.attempt}`
          Object.assign(q, { pc: 'TAKE0', attempt: (call.closedAttempts[p.caller] ?? 0) + 1, free: undefined, closed })
        } else if (call.state !== 'none' && !mine && rule === 'keep-on-other-caller') q.pc = 'DONE'
        else if (isLive(call) && mine && !call.called[p.callee] && rule === 'keep-on-other-callee') q.pc = 'DONE'
      })
    else if (p.pc === 'REFUSED')
      go((t, q) => {
        if (rule !== 'release-without-tombstone') writeTombstone(t, p.id, p.caller, p.attempt)
        Object.assign(q, { pc: 'RELEASE0', free: unbacked(t) })
      })
    else if (p.pc === 'FAILED')
      go((t, q) => {
        if (rule === 'failure-is-final') {
          writeTombstone(t, p.id, p.caller, p.attempt)
          t.call[p.id].isFailureFinal = true
        } else if (rule !== 'release-without-tombstone') close(t, p)
        Object.assign(q, { pc: 'RELEASE0', free: unbacked(t) })
      })
    else if (/^RELEASE\d/.test(p.pc)) {
      // The end of the call releases the other leases.
      go((t, q) => {
        if (p.free.includes(step)) delete t.lease[user(step)][h]
        q.pc = step + 1 < leased.length ? `RELEASE${step + 1}` : p.merge ? 'MERGE_ACCEPT' : 'DONE'
      })
    } else if (p.pc === 'RELEASE_CLOSED0' || p.pc === 'RELEASE_CLOSED1')
      go((t, q) => {
        for (const attempt of p.closed) delete t.lease[user(Number(p.pc.at(-1)))][holder(p.id, p.caller, attempt)]
        q.pc = p.pc === 'RELEASE_CLOSED0' ? 'RELEASE_CLOSED1' : 'DONE'
      })
    else if (p.pc === 'MERGE_ACCEPT')
      go((t, q) => {
        const [id] = p.other.split('/')
        if (t.call[id].caller === p.callee && ringsFor(t.call[id], p.caller)) acceptCall(t.call[id], id, p.caller)
        q.pc = 'DONE'
      })
    else if (p.pc === 'READ' && p.kind === 'check') {
      if (isLive(call) && mine && ['ringing', 'answered'].includes(call.called[p.callee]))
        go((_, q) => Object.assign(q, { pc: 'RETAKE0', isAccepted: call.state === 'accepted' }))
    } else if (p.pc === 'RETAKE0' || p.pc === 'RETAKE1') {
      const u = p.pc === 'RETAKE0' ? p.caller : p.callee
      const isActive = u === p.caller || p.isAccepted
      const held = s.lease[u]
      const peer = u === p.caller ? p.callee : p.caller
      const isFull = isActive && activeOthers(held, h).length >= slots
      const hasPeer = Object.keys(held).some(x => x !== h && peerOf(x, u) === peer)
      go((t, q) => {
        if (held[h] === undefined && !isFull && !hasPeer) t.lease[u][h] = isActive ? 'active' : 'ringing'
        q.pc = p.pc === 'RETAKE0' ? 'RETAKE1' : 'RETAKEN'
      })
    } else if (p.pc === 'RETAKEN')
      go((_, q) =>
        Object.assign(q, {
          pc: call.state === 'ended' && rule !== 'check-keeps-retaken' ? 'RELEASE0' : 'DONE',
          free: '01'
        })
      )
    else if (p.pc === 'READ' && p.kind === 'turn') {
      if (call.state === 'ringing' && mine && isTurnOf(call, p.callee))
        go((_, q) => {
          q.pc = rule === 'ring-before-lease' ? 'TURN_RING' : 'TURN_LEASE'
        })
    } else if (p.pc === 'TURN_LEASE') {
      const held = s.lease[p.callee]
      const isFull = activeOthers(held, h).length >= slots
      const hasPeer = Object.keys(held).some(x => x !== h && peerOf(x, p.callee) === p.caller)
      const isTaken = held[h] !== undefined || !(isFull || hasPeer)
      go((t, q) => {
        if (isTaken) t.lease[p.callee][h] ??= 'ringing'
        q.pc = rule === 'ring-before-lease' ? 'DONE' : isTaken ? 'TURN_RING' : 'TURN_BUSY'
      })
    } else if (p.pc === 'TURN_RING') {
      const stands = call.state === 'ringing' && mine && isTurnOf(call, p.callee)
      go((t, q) => {
        if (stands) t.call[p.id].called[p.callee] = 'ringing'
        const isOver = statusOf(s, h, p.callee) === 'over' && rule !== 'turn-keeps-retaken'
        q.pc = stands && rule === 'ring-before-lease' ? 'TURN_LEASE' : !stands && isOver ? 'TURN_RELEASE' : 'DONE'
      })
    } else if (p.pc === 'TURN_BUSY')
      go((t, q) => {
        if (call.state === 'ringing' && mine && isTurnOf(call, p.callee)) leave(t.call[p.id], p.id, p.callee)
        q.pc = 'DONE'
      })
    else if (p.pc === 'TURN_RELEASE')
      go((t, q) => {
        delete t.lease[p.callee][h]
        q.pc = 'DONE'
      })
    else if (p.pc === 'READ') {
      if (mine && ringsFor(call, p.callee))
        go((_, q) => {
          q.pc = rule === 'accept-before-upgrade' ? 'ACCEPT' : 'UPGRADE'
        })
    } else if (p.pc === 'UPGRADE') {
      const held = s.lease[p.callee]
      const full = activeOthers(held, h).length >= slots
      const samePeer = Object.keys(held).some(x => x !== h && peerOf(x, p.callee) === p.caller)
      if (held[h] === 'active' || !(full || (samePeer && !held[h])))
        go((t, q) => {
          t.lease[p.callee][h] = 'active'
          q.pc = rule === 'accept-before-upgrade' ? 'DONE' : 'ACCEPT'
        })
      else
        go((_, q) => {
          q.pc = 'DONE'
        })
    } else if (p.pc === 'ACCEPT')
      go((t, q) => {
        q.pc = 'DONE'
        const stands = mine && ringsFor(call, p.callee)
        if (stands) acceptCall(t.call[p.id], p.id, p.callee)
        if (stands && rule === 'accept-before-upgrade') q.pc = 'UPGRADE'
        if (!stands && rule === 'downgrade-after-conflict' && t.lease[p.callee][h]) t.lease[p.callee][h] = 'ringing'
        const isOver = call.state === 'ended' ? 'accept-keeps-retaken' : 'loser-keeps-retaken'
        if (!stands && statusOf(s, h, p.callee) === 'over' && rule !== isOver) q.pc = 'ACCEPT_RELEASE'
      })
    else if (p.pc === 'ACCEPT_RELEASE')
      go((t, q) => {
        delete t.lease[p.callee][h]
        q.pc = 'DONE'
      })
    if (k < throws && s.throws < throws) throwIn(s, k, successors)
    return successors
  }

  /** The next request of a process throws. It is executed at any later time, or never. */
  function throwIn(s, k, successors) {
    const p = { ...PROCESSES[k], ...s.processes[k] }
    if (
      !['TAKE0', 'TAKE1', 'JUDGE', 'TAKE_OVER', 'MERGE', 'MERGE_READ', 'MERGE_TOMBSTONE', 'COMMIT', 'REFUSED'].includes(
        p.pc
      )
    )
      return
    const fault = late => {
      const t = clone(s)
      t.throws++
      t.late.push(...late)
      t.processes[k] = { pc: 'FAILED', attempt: p.attempt, closed: p.closed }
      // The lease that a merge took again is released when it blocks another create.
      if (p.pc === 'MERGE_READ') t.mayLeak = true
      successors.push(t)
    }
    fault([])
    const request = { id: p.id, caller: p.caller, callee: p.callee, callees: p.callees, attempt: p.attempt }
    const users = [p.caller, p.callee].sort()
    if (p.pc === 'TAKE0' || p.pc === 'TAKE1') fault([{ ...request, user: users[Number(p.pc.at(-1))] }])
    const call = s.call[p.id]
    // A create sends no commit for a call that it may not create.
    if (p.pc === 'COMMIT' && call.state === 'none' && !isClosed(call, p.caller, p.attempt))
      fault([{ ...request, stamp: stampOf(call) }])
  }

  function* executed(s) {
    for (const [i, request] of s.late.entries()) {
      const t = clone(s)
      t.late.splice(i, 1)
      if (request.user === undefined) {
        const { state } = s.call[request.id]
        const stands = stampOf(s.call[request.id]) === request.stamp
        if (state === 'none' && (stands || rule === 'closed-attempt-commits')) make(t, request)
      } else if (isFree(s, request, request.user)) {
        take(t, request, request.user)
        // No process releases this lease: it is taken over when it blocks another create.
        t.mayLeak = true
      }
      yield t
    }
  }

  function* next(s) {
    yield* executed(s)
    for (const [k, { pc }] of s.processes.entries()) {
      if (pc === 'DONE' || pc === 'DEAD') continue
      yield* steps(s, k)
      if (s.crashes >= crashes) continue
      const t = clone(s)
      t.processes[k] = { pc: 'DEAD' }
      t.crashes++
      yield t
    }
    for (const [id, call] of Object.entries(s.call)) {
      if (isLive(call)) {
        // The call ends: hang-up, cancel, reject, busy or a deadline. The release of both leases is left in the outbox.
        const t = clone(s)
        endCall(t.call[id], id)
        yield t
      }
      // A user rejects a call that rings for others, too, or waits for them.
      for (const u of Object.keys(call.called)) {
        if (Object.keys(call.called).length === 1 || !ringsFor(call, u)) continue
        const t = clone(s)
        leave(t.call[id], id, u)
        yield t
      }
      for (const item of call.releases) {
        const [h, user] = item.split('>')
        const t = clone(s)
        delete t.lease[user][h]
        t.call[id].releases = call.releases.filter(each => each !== item)
        yield t
      }
    }
  }

  function violates(s) {
    const live = Object.entries(s.call).filter(([, call]) => isLive(call))
    for (const u of users) {
      const active = live.filter(([, c]) => c.caller === u || c.called[u] === 'answered')
      if (active.length > slots) return `I1: ${u} is in ${active.length} active calls`
    }
    for (const [id, c] of live) {
      const h = holderOfCall(id, c)
      if (s.lease[c.caller][h] !== 'active') return `I3: ${h} lives without its caller's lease`
      for (const u of Object.keys(c.called)) {
        const isCalled = c.called[u] === 'ringing' || c.called[u] === 'answered'
        if (isCalled && s.lease[u][h] === undefined) return `I3: ${h} lives without the lease of ${u}`
        if (c.called[u] === 'answered' && rule !== 'accept-before-upgrade' && s.lease[u][h] !== 'active')
          return `I3: ${h} is accepted without its callee's active lease`
      }
    }
    if (s.processes.some(({ isRefused }) => isRefused)) return 'I4: a retry is refused for the throw before it'
    if (s.crashes > 0 || s.late.length > 0 || s.mayLeak) return null
    if (!s.processes.every(({ pc }) => ['DONE', 'READ', 'START'].includes(pc))) return null
    for (const u of users)
      for (const h of Object.keys(s.lease[u])) {
        const waits = s.call[h.split('/')[0]].releases.includes(`${h}>${u}`)
        if (statusOf(s, h, u) !== 'live' && !waits) return `I2: nothing will release ${h} on ${u}`
      }
    return null
  }

  const keyOf = s => {
    const held = users.map(u =>
      Object.keys(s.lease[u])
        .sort()
        .map(h => h + s.lease[u][h][0])
    )
    const processes = s.processes.map(
      ({ pc, other, user, resumeAt, merge, attempt, free, closed, isAccepted, isRefused, leftOut }) =>
        pc === 'DONE' || pc === 'DEAD'
          ? [pc, isRefused].join()
          : [pc, other, user, resumeAt, merge, attempt, free, closed, isAccepted, leftOut].join()
    )
    const calls = Object.values(s.call).map(call =>
      [stampOf(call), call.attempt, ...Object.entries(call.called).flat(), ...call.releases].join()
    )
    const late = s.late.map(each => Object.values(each).join()).sort()
    return `${held.join(';')} ${calls.join(';')} ${processes.join(';')} ${s.crashes} ${s.throws} ${s.mayLeak} ${late}`
  }
  const seen = new Set([keyOf(init)])
  let frontier = [init]
  let attempts = 0
  while (frontier.length > 0) {
    const later = []
    for (const s of frontier) {
      const why = violates(s)
      if (why) return { states: seen.size, attempts, violation: why, state: s }
      for (const call of Object.values(s.call)) if (isLive(call)) attempts = Math.max(attempts, call.attempt)
      for (const t of next(s)) {
        const key = keyOf(t)
        if (seen.has(key)) continue
        seen.add(key)
        later.push(t)
      }
    }
    frontier = later
    if (seen.size > STATES_MAX) throw new Error(`${rule} ${scenarioName}: undecided after ${seen.size} states`)
  }
  return { states: seen.size, attempts, violation: null }
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const [, , rule, scenario, crashes] = process.argv
  for (const name of scenario ? [scenario] : Object.keys(SCENARIOS))
    for (const each of rule ? [rule] : ['sound', ...Object.keys(RULES)]) {
      const startedAt = performance.now()
      const { states, violation } = explore(name, each, crashes && Number(crashes))
      console.log(each, name, violation ?? 'holds', states, 'states', Math.round(performance.now() - startedAt), 'ms')
    }
}
