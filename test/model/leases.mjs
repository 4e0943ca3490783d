// Explicit-state check of the lease protocol (docs/decisions/0007-leases.md): every interleaving of the processes of a scenario, with a
// crash possible before any step, and "the lease is old" allowed at any time.
//
// A user has at most `slots` active leases (own outgoing calls, answered incoming ones) and any number of ringing ones, one a peer. A
// lease is held by an attempt of a create, named by call id, caller and attempt (`C/a/1`). Under a call id there is a call, or tombstones by
// caller, or nothing. A request to the store may throw although it is executed, then or later; the create that met it closes its attempt
// and releases what that took, and a retry is the next attempt.
//   I1: no user is in more active calls at once than there are slots: caller of a live call, or callee of an accepted one.
//   I2: at rest, when no process is dead in the middle, no lease is left that nothing would ever release.
//   I3: a live call holds its caller's active lease and its callee's lease, which is active once it is accepted.
//   I4: a retry of a create that threw is not refused for that.
// usage: node leases.mjs [RULE] [SCENARIO] [CRASHES]; without arguments everything runs. A RULE breaks one rule on purpose:
export const RULES = {
  'plain-rollback': 'a failed create releases without making its call unable to exist first',
  'no-fence': 'a lease whose call does not exist is taken over without a tombstone',
  'commit-first': "accept commits before it upgrades the callee's lease",
  'give-back': 'an accept that loses its commit takes its upgrade back',
  'leak-on-throw': "a create that finds its id to be another caller's call leaves its leases",
  'leak-on-callee': 'a create that finds its id to be its own call to another callee leaves its leases',
  'id-only': 'leases are held by the call id alone',
  'merge-unlocked': "a glare merge accepts without upgrading its user's lease",
  'keep-retaken': 'an accept that took a missing lease anew keeps it though the call has ended',
  'keep-merged': 'a glare merge that took a missing lease anew keeps it though the call has ended',
  'keep-checked': 'a check that took a missing lease anew keeps it though the call has ended',
  'keep-passed': 'a create that finds its attempt closed, and goes on as the next one, keeps the leases of the first',
  'final-throw': 'a create that throws leaves a tombstone that no retry may pass',
  'late-commit': 'an attempt that was closed may still make its call',
  'attempt-unnamed': 'leases do not name the attempt'
}
const create = (id, caller, callee) => ({ kind: 'create', id, caller, callee })
/** The caller's next request, once one has thrown. */
const retry = (id, caller, callee) => ({ ...create(id, caller, callee), isRetry: true })
const accept = (id, caller, callee) => ({ kind: 'accept', id, caller, callee })
const check = (id, caller, callee) => ({ kind: 'check', id, caller, callee })
// `throws`: so many requests of the first so many creates throw.
export const SCENARIOS = {
  // two users call each other, one of them twice
  crossing: { slots: 1, crashes: 0, procs: [create('C', 'a', 'b'), create('D', 'b', 'a'), create('C', 'a', 'b')] },
  // two callers choose one id, one of them while it is called itself
  sameId: { slots: 1, procs: [create('C', 'a', 'b'), create('C', 'e', 'b'), create('D', 'b', 'e')] },
  // one caller chooses one id for two callees
  twoCallees: { slots: 1, procs: [create('C', 'a', 'b'), create('C', 'a', 'e'), create('C', 'a', 'b')] },
  // a user accepts two calls at once
  answering: {
    slots: 1,
    procs: [create('C', 'a', 'b'), create('D', 'e', 'b'), accept('C', 'a', 'b'), accept('D', 'e', 'b')]
  },
  // two devices of a user accept one call while the user also calls out
  devices: {
    slots: 1,
    procs: [create('C', 'a', 'b'), create('F', 'b', 'e'), accept('C', 'a', 'b'), accept('C', 'a', 'b')]
  },
  // one device calls back, which is an accept, while another one accepts
  merging: { slots: 1, procs: [create('C', 'a', 'b'), create('D', 'b', 'a'), accept('C', 'a', 'b')] },
  // one device calls back while another one calls out
  callingBack: { slots: 1, crashes: 0, procs: [create('C', 'a', 'b'), create('D', 'b', 'a'), create('F', 'b', 'e')] },
  // two active calls a user: three want the two slots
  twoSlots: {
    slots: 2,
    crashes: 1,
    procs: [
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
    procs: [create('C', 'a', 'b'), retry('C', 'a', 'b'), create('D', 'b', 'a')]
  },
  // the retry throws, too, is for another callee, and is accepted
  retryingElsewhere: {
    slots: 1,
    crashes: 0,
    throws: 2,
    procs: [create('C', 'a', 'b'), retry('C', 'a', 'e'), accept('C', 'a', 'e')]
  },
  // two callers of one id throw and try again
  retryingSameId: {
    slots: 1,
    throws: 1,
    procs: [create('C', 'a', 'b'), create('C', 'a', 'b'), create('C', 'e', 'b')]
  },
  // a check takes missing leases again while the call is accepted and ends
  checking: {
    slots: 1,
    procs: [create('C', 'a', 'b'), accept('C', 'a', 'b'), check('C', 'a', 'b'), create('D', 'b', 'e')]
  }
}
const STATES_MAX = 2_000_000

/** Visits every state that can be reached. Returns how many there are, and the first violation of an invariant. */
export function explore(scenarioName, rule = 'sound', crashes = SCENARIOS[scenarioName].crashes ?? 1) {
  const { slots, throws = 0, procs: PROCS } = SCENARIOS[scenarioName]
  const holder = (id, caller, attempt) => {
    if (rule === 'id-only') return id
    return rule === 'attempt-unnamed' ? `${id}/${caller}` : `${id}/${caller}/${attempt}`
  }
  const callerIn = h => h.split('/')[1]
  const attemptIn = h => Number(h.split('/')[2] ?? Number.NaN)
  const users = [...new Set(PROCS.flatMap(p => [p.caller, p.callee]))].sort()
  const init = {
    lease: Object.fromEntries(users.map(u => [u, {}])),
    call: Object.fromEntries(
      PROCS.map(p => [
        p.id,
        { st: 'none', caller: '', attempt: 0, callee: '', tombs: '', shut: {}, isThrown: false, out: [] }
      ])
    ),
    // Without a throw every attempt is the first, so what its create reads before it takes leases is left out.
    procs: PROCS.map(({ kind }) =>
      kind === 'create' ? { pc: throws > 0 ? 'START' : 'L0', attempt: 1 } : { pc: 'READ' }
    ),
    crashes: 0,
    throws: 0,
    // Thrown, and executed later or never.
    late: [],
    isLeaked: false
  }
  const clone = s => ({
    lease: Object.fromEntries(Object.entries(s.lease).map(([u, held]) => [u, { ...held }])),
    call: Object.fromEntries(
      Object.entries(s.call).map(([id, call]) => [id, { ...call, shut: { ...call.shut }, out: [...call.out] }])
    ),
    procs: s.procs.map(p => ({ ...p })),
    crashes: s.crashes,
    throws: s.throws,
    late: [...s.late],
    isLeaked: s.isLeaked
  })
  const callerOf = h => callerIn(h) ?? PROCS.find(p => p.kind === 'create' && p.id === h).caller
  const holderOfCall = (id, call) => holder(id, call.caller, call.attempt)
  const isLive = ({ st }) => st === 'ringing' || st === 'accepted'
  const peerOf = (h, user) => {
    const [id, caller] = h.split('/')
    const made = PROCS.find(
      p =>
        p.kind === 'create' &&
        p.id === id &&
        (caller === undefined || p.caller === caller) &&
        (p.caller === user || p.callee === user)
    )
    return made?.caller === user ? made.callee : made?.caller
  }
  const activeOthers = (held, h) => Object.keys(held).filter(x => x !== h && held[x] === 'active')

  /** What stands behind a holder's lease on a user: nothing yet, the holder's live call, or nothing that will ever be. */
  function behind(s, h, user) {
    const call = s.call[h.split('/')[0]]
    const caller = callerIn(h)
    if (call.st === 'none') return caller !== undefined && isClosed(call, caller, attemptIn(h)) ? 'over' : 'none'
    if (call.st === 'ended') return 'over'
    if (caller !== undefined && call.caller !== caller) return 'over'
    if (attemptIn(h) >= 0 && call.attempt !== attemptIn(h)) return 'over'
    return call.caller === user || call.callee === user ? 'live' : 'over'
  }
  const isClosed = (call, caller, attempt) => call.tombs.includes(caller) || (call.shut[caller] ?? 0) >= attempt
  const writeTombstone = (s, id, caller, attempt) => {
    const call = s.call[id]
    if (call.st !== 'none' || isClosed(call, caller, attempt)) return
    call.tombs = [...call.tombs, caller].sort().join('')
    delete call.shut[caller]
  }
  const close = (s, { id, caller, attempt }) => {
    const call = s.call[id]
    if (call.st === 'none' && !isClosed(call, caller, attempt)) call.shut[caller] = attempt
  }
  const stampOf = ({ st, caller, tombs, shut }) => `${st},${caller},${tombs},${users.map(u => shut[u])}`
  const make = (s, { id, caller, callee, attempt }) => {
    s.call[id] = { ...s.call[id], st: 'ringing', caller, callee, attempt, tombs: '', shut: {} }
  }
  /** A create takes what is free on a user; false when something is in its way. */
  function isFree(s, p, u) {
    const held = s.lease[u]
    const h = holder(p.id, p.caller, p.attempt)
    return held[h] !== undefined || rivalsOf(s, p, u).length === 0
  }
  function rivalsOf(s, p, u) {
    const held = s.lease[u]
    const h = holder(p.id, p.caller, p.attempt)
    const isCaller = u === p.caller
    const full = isCaller && activeOthers(held, h).length >= slots
    const peer = isCaller ? p.callee : p.caller
    return Object.keys(held).filter(x => x !== h && (peerOf(x, u) === peer || (full && held[x] === 'active')))
  }
  const take = (s, p, u) => {
    s.lease[u][holder(p.id, p.caller, p.attempt)] ??= u === p.caller ? 'active' : 'ringing'
  }

  function steps(s, k) {
    const p = { ...PROCS[k], ...s.procs[k] }
    const out = []
    const go = change => {
      const t = clone(s)
      const q = t.procs[k]
      change(t, q)
      if (q.pc === 'DONE' && q.passed && p.pc !== 'PASS1' && rule !== 'keep-passed') q.pc = 'PASS0'
      out.push(t)
    }
    const call = s.call[p.id]
    const h = p.kind === 'create' ? holder(p.id, p.caller, p.attempt) : holderOfCall(p.id, call)
    // What the record under the id is not behind, as it was when the create was given up.
    const unbacked = t => [0, 1].filter(i => behind(t, h, user(i)) !== 'live' || rule === 'plain-rollback').join('')
    const user = i => [p.caller, p.callee].sort()[i]
    const mine = call.caller === p.caller
    if (p.pc === 'START') {
      // Without a call or a tombstone that is final it is the next attempt.
      if (p.isRetry && s.throws === 0) return []
      const isRefused = call.tombs.includes(p.caller) && call.isThrown
      if (call.st !== 'none' || call.tombs.includes(p.caller)) go((_, q) => Object.assign(q, { pc: 'DONE', isRefused }))
      else go((_, q) => Object.assign(q, { pc: 'L0', attempt: (call.shut[p.caller] ?? 0) + 1 }))
    } else if (p.pc === 'L0' || p.pc === 'L1') {
      const u = user(p.pc === 'L0' ? 0 : 1)
      const rivals = rivalsOf(s, p, u)
      if (isFree(s, p, u))
        go((t, q) => {
          take(t, p, u)
          q.pc = p.pc === 'L0' ? 'L1' : 'COMMIT'
        })
      else for (const rival of rivals) go((_, q) => Object.assign(q, { pc: 'CHECK', rival, user: u, back: p.pc }))
    } else if (p.pc === 'CHECK') {
      const [id] = p.rival.split('/')
      const what = behind(s, p.rival, p.user)
      const theirs = s.call[id]
      if (what === 'over')
        go((_, q) => {
          q.pc = 'STEAL'
        })
      else if (what === 'none') {
        if (rule === 'no-fence')
          go((_, q) => {
            q.pc = 'STEAL'
          })
        else go(t => writeTombstone(t, id, callerOf(p.rival), attemptIn(p.rival)))
        go((_, q) => Object.assign(q, { pc: p.back, rival: undefined }))
      } else if (theirs.st === 'ringing' && theirs.caller === p.callee && theirs.callee === p.caller)
        go((_, q) => {
          q.pc = rule === 'merge-unlocked' ? 'MTOMB' : 'MERGE'
        })
      else go((_, q) => Object.assign(q, { pc: 'FAIL', rival: undefined }))
    } else if (p.pc === 'STEAL')
      go((t, q) => {
        delete t.lease[p.user][p.rival]
        Object.assign(q, { pc: p.back, rival: undefined })
      })
    else if (p.pc === 'MERGE') {
      // Their call rang for this create's caller, whose lease for it has to be active first. One that is missing is taken anew.
      const held = s.lease[p.caller]
      const isFull = activeOthers(held, p.rival).length >= slots
      const hasPeer = Object.keys(held).some(x => x !== p.rival && peerOf(x, p.caller) === p.callee)
      if (held[p.rival] !== 'active' && (isFull || (hasPeer && !held[p.rival])))
        go((_, q) => {
          q.pc = 'FAIL'
        })
      else
        go((t, q) => {
          t.lease[p.caller][p.rival] = 'active'
          q.pc = 'MREAD'
        })
    } else if (p.pc === 'MREAD') {
      const isOver = behind(s, p.rival, p.caller) === 'over' && rule !== 'keep-merged'
      go((_, q) => {
        q.pc = isOver ? 'MREL' : 'MTOMB'
      })
    } else if (p.pc === 'MREL') {
      go((t, q) => {
        delete t.lease[p.caller][p.rival]
        Object.assign(q, { pc: p.back, rival: undefined })
      })
    } else if (p.pc === 'MTOMB')
      go((t, q) => {
        writeTombstone(t, p.id, p.caller, p.attempt)
        Object.assign(q, { pc: 'REL0', free: unbacked(t), merge: !(isLive(call) && mine) })
      })
    else if (p.pc === 'COMMIT')
      go((t, q) => {
        Object.assign(q, { pc: 'REL0', free: unbacked(t) })
        const isOpen = !isClosed(call, p.caller, rule === 'late-commit' ? Number.POSITIVE_INFINITY : p.attempt)
        if (call.st === 'none' && isOpen) {
          make(t, p)
          q.pc = 'DONE'
        } else if (call.st === 'none' && !call.tombs.includes(p.caller)) {
          // Another create of this attempt threw: the commit conflicts, and this create is the next attempt.
          // What it took for the one before is released when it is done.
          const passed = `${p.passed ?? ''}${p.attempt}`
          Object.assign(q, { pc: 'L0', attempt: (call.shut[p.caller] ?? 0) + 1, free: undefined, passed })
        } else if (call.st !== 'none' && !mine && rule === 'leak-on-throw') q.pc = 'DONE'
        else if (isLive(call) && mine && call.callee !== p.callee && rule === 'leak-on-callee') q.pc = 'DONE'
      })
    else if (p.pc === 'FAIL')
      go((t, q) => {
        if (rule !== 'plain-rollback') writeTombstone(t, p.id, p.caller, p.attempt)
        Object.assign(q, { pc: 'REL0', free: unbacked(t) })
      })
    else if (p.pc === 'FAULT')
      go((t, q) => {
        if (rule === 'final-throw') {
          writeTombstone(t, p.id, p.caller, p.attempt)
          t.call[p.id].isThrown = true
        } else if (rule !== 'plain-rollback') close(t, p)
        Object.assign(q, { pc: 'REL0', free: unbacked(t) })
      })
    else if (p.pc === 'REL0' || p.pc === 'REL1') {
      // A call that ends later releases the rest itself.
      const i = p.pc === 'REL0' ? 0 : 1
      go((t, q) => {
        if (p.free.includes(i)) delete t.lease[user(i)][h]
        q.pc = p.pc === 'REL0' ? 'REL1' : p.merge ? 'MACC' : 'DONE'
      })
    } else if (p.pc === 'PASS0' || p.pc === 'PASS1')
      go((t, q) => {
        for (const attempt of p.passed) delete t.lease[user(Number(p.pc.at(-1)))][holder(p.id, p.caller, attempt)]
        q.pc = p.pc === 'PASS0' ? 'PASS1' : 'DONE'
      })
    else if (p.pc === 'MACC')
      go((t, q) => {
        const theirs = t.call[p.rival.split('/')[0]]
        if (theirs.st === 'ringing' && theirs.caller === p.callee && theirs.callee === p.caller) theirs.st = 'accepted'
        q.pc = 'DONE'
      })
    else if (p.pc === 'READ' && p.kind === 'check') {
      if (isLive(call) && mine && call.callee === p.callee)
        go((_, q) => Object.assign(q, { pc: 'CHECK0', isAccepted: call.st === 'accepted' }))
    } else if (p.pc === 'CHECK0' || p.pc === 'CHECK1') {
      const u = p.pc === 'CHECK0' ? p.caller : p.callee
      const isActive = u === p.caller || p.isAccepted
      const held = s.lease[u]
      const peer = u === p.caller ? p.callee : p.caller
      const isFull = isActive && activeOthers(held, h).length >= slots
      const hasPeer = Object.keys(held).some(x => x !== h && peerOf(x, u) === peer)
      go((t, q) => {
        if (held[h] === undefined && !isFull && !hasPeer) t.lease[u][h] = isActive ? 'active' : 'ringing'
        q.pc = p.pc === 'CHECK0' ? 'CHECK1' : 'CHECKED'
      })
    } else if (p.pc === 'CHECKED')
      go((_, q) =>
        Object.assign(q, { pc: call.st === 'ended' && rule !== 'keep-checked' ? 'REL0' : 'DONE', free: '01' })
      )
    else if (p.pc === 'READ') {
      if (call.st === 'ringing' && mine && call.callee === p.callee)
        go((_, q) => {
          q.pc = rule === 'commit-first' ? 'ACC' : 'UP'
        })
    } else if (p.pc === 'UP') {
      const held = s.lease[p.callee]
      const full = activeOthers(held, h).length >= slots
      const samePeer = Object.keys(held).some(x => x !== h && peerOf(x, p.callee) === p.caller)
      if (held[h] === 'active' || !(full || (samePeer && !held[h])))
        go((t, q) => {
          t.lease[p.callee][h] = 'active'
          q.pc = rule === 'commit-first' ? 'DONE' : 'ACC'
        })
      else
        go((_, q) => {
          q.pc = 'DONE'
        })
    } else if (p.pc === 'ACC')
      go((t, q) => {
        q.pc = 'DONE'
        const stands = call.st === 'ringing' && mine
        if (stands) t.call[p.id].st = 'accepted'
        if (stands && rule === 'commit-first') q.pc = 'UP'
        if (!stands && rule === 'give-back' && t.lease[p.callee][h]) t.lease[p.callee][h] = 'ringing'
        if (!stands && call.st === 'ended' && rule !== 'keep-retaken') q.pc = 'RELA'
      })
    else if (p.pc === 'RELA')
      go((t, q) => {
        delete t.lease[p.callee][h]
        q.pc = 'DONE'
      })
    if (k < throws && s.throws < throws) throwIn(s, k, out)
    return out
  }

  /** The request that comes next throws: it is executed at any time from then on, or never. */
  function throwIn(s, k, out) {
    const p = { ...PROCS[k], ...s.procs[k] }
    if (!['L0', 'L1', 'CHECK', 'STEAL', 'MERGE', 'MREAD', 'MTOMB', 'COMMIT', 'FAIL'].includes(p.pc)) return
    const fault = late => {
      const t = clone(s)
      t.throws++
      t.late.push(...late)
      t.procs[k] = { pc: 'FAULT', attempt: p.attempt, passed: p.passed }
      // The lease that a merge took anew goes when it is in somebody's way.
      if (p.pc === 'MREAD') t.isLeaked = true
      out.push(t)
    }
    fault([])
    const request = { id: p.id, caller: p.caller, callee: p.callee, attempt: p.attempt }
    const users = [p.caller, p.callee].sort()
    if (p.pc === 'L0' || p.pc === 'L1') fault([{ ...request, user: users[Number(p.pc[1])] }])
    const call = s.call[p.id]
    // Nothing is sent for a call that may not be made.
    if (p.pc === 'COMMIT' && call.st === 'none' && !isClosed(call, p.caller, p.attempt))
      fault([{ ...request, stamp: stampOf(call) }])
  }

  function* executed(s) {
    for (const [i, request] of s.late.entries()) {
      const t = clone(s)
      t.late.splice(i, 1)
      if (request.user === undefined) {
        const { st } = s.call[request.id]
        const stands = stampOf(s.call[request.id]) === request.stamp
        if (st === 'none' && (stands || rule === 'late-commit')) make(t, request)
      } else if (isFree(s, request, request.user)) {
        take(t, request, request.user)
        // Nothing waits for its release: it goes when it is in somebody's way.
        t.isLeaked = true
      }
      yield t
    }
  }

  function* next(s) {
    yield* executed(s)
    for (const [k, { pc }] of s.procs.entries()) {
      if (pc === 'DONE' || pc === 'DEAD') continue
      yield* steps(s, k)
      if (s.crashes >= crashes) continue
      const t = clone(s)
      t.procs[k] = { pc: 'DEAD' }
      t.crashes++
      yield t
    }
    for (const [id, call] of Object.entries(s.call)) {
      if (isLive(call)) {
        // A hang-up, cancel, reject, "busy" or a deadline. It leaves the release of both leases in the outbox.
        const t = clone(s)
        t.call[id].st = 'ended'
        const h = holderOfCall(id, call)
        t.call[id].out = [...call.out, `${h}>${call.caller}`, `${h}>${call.callee}`].sort()
        yield t
      }
      for (const item of call.out) {
        const [h, user] = item.split('>')
        const t = clone(s)
        delete t.lease[user][h]
        t.call[id].out = call.out.filter(each => each !== item)
        yield t
      }
    }
  }

  function violates(s) {
    const live = Object.entries(s.call).filter(([, call]) => isLive(call))
    for (const u of users) {
      const active = live.filter(([, c]) => c.caller === u || (c.callee === u && c.st === 'accepted'))
      if (active.length > slots) return `I1: ${u} is in ${active.length} active calls`
    }
    for (const [id, c] of live) {
      const h = holderOfCall(id, c)
      if (s.lease[c.caller][h] !== 'active') return `I3: ${h} lives without its caller's lease`
      if (s.lease[c.callee][h] === undefined) return `I3: ${h} lives without its callee's lease`
      if (c.st === 'accepted' && rule !== 'commit-first' && s.lease[c.callee][h] !== 'active')
        return `I3: ${h} is accepted without its callee's active lease`
    }
    if (s.procs.some(({ isRefused }) => isRefused)) return 'I4: a retry is refused for the throw before it'
    if (s.crashes > 0 || s.late.length > 0 || s.isLeaked) return null
    if (!s.procs.every(({ pc }) => ['DONE', 'READ', 'START'].includes(pc))) return null
    for (const u of users)
      for (const h of Object.keys(s.lease[u])) {
        const waits = s.call[h.split('/')[0]].out.includes(`${h}>${u}`)
        if (behind(s, h, u) !== 'live' && !waits) return `I2: nothing will release ${h} on ${u}`
      }
    return null
  }

  const keyOf = s => {
    const held = users.map(u =>
      Object.keys(s.lease[u])
        .sort()
        .map(h => h + s.lease[u][h][0])
    )
    const procs = s.procs.map(({ pc, rival, user, back, merge, attempt, free, passed, isAccepted, isRefused }) =>
      pc === 'DONE' || pc === 'DEAD'
        ? [pc, isRefused].join()
        : [pc, rival, user, back, merge, attempt, free, passed, isAccepted].join()
    )
    const calls = Object.values(s.call).map(call => [stampOf(call), call.attempt, call.callee, ...call.out].join())
    const late = s.late.map(each => Object.values(each).join()).sort()
    return `${held.join(';')} ${calls.join(';')} ${procs.join(';')} ${s.crashes} ${s.throws} ${s.isLeaked} ${late}`
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
