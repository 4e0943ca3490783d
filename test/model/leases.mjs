// Explicit-state check of the lease protocol (docs/architecture.md, "Busy"): every interleaving of the processes of a scenario, with a
// crash possible before any step, and "the lease is old" allowed at any time.
//
// A user has at most `slots` active leases (own outgoing calls, answered incoming ones) and any number of ringing ones, one a peer. A
// lease is held by a create, named by call id and caller (`C/a`). Under a call id there is a call, or tombstones by caller, or nothing.
//   I1: no user is in more active calls at once than there are slots: caller of a live call, or callee of an accepted one.
//   I2: at rest, when no process is dead in the middle, no lease is left that nothing would ever release.
//   I3: a live call holds its caller's active lease and its callee's lease, which is active once it is accepted.
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
  'keep-retaken': 'an accept that took a missing lease anew keeps it though the call has ended'
}
const create = (id, caller, callee) => ({ kind: 'create', id, caller, callee })
const accept = (id, caller, callee) => ({ kind: 'accept', id, caller, callee })
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
  }
}
const STATES_MAX = 2_000_000

/** Visits every state that can be reached. Returns how many there are, and the first violation of an invariant. */
export function explore(scenarioName, rule = 'sound', crashes = SCENARIOS[scenarioName].crashes ?? 1) {
  const { slots, procs: PROCS } = SCENARIOS[scenarioName]
  const holderOf = p => (rule === 'id-only' ? p.id : `${p.id}/${p.caller}`)
  const callerIn = h => h.split('/')[1]
  const users = [...new Set(PROCS.flatMap(p => [p.caller, p.callee]))].sort()
  const init = {
    lease: Object.fromEntries(users.map(u => [u, {}])),
    call: Object.fromEntries(PROCS.map(p => [p.id, { st: 'none', caller: '', callee: '', tombs: '', out: [] }])),
    procs: PROCS.map(p => ({ pc: p.kind === 'accept' ? 'READ' : 'L0' })),
    crashes: 0
  }
  const clone = s => ({
    lease: Object.fromEntries(Object.entries(s.lease).map(([u, held]) => [u, { ...held }])),
    call: Object.fromEntries(Object.entries(s.call).map(([id, call]) => [id, { ...call, out: [...call.out] }])),
    procs: s.procs.map(p => ({ ...p })),
    crashes: s.crashes
  })
  const callerOf = h => callerIn(h) ?? PROCS.find(p => p.kind === 'create' && p.id === h).caller
  const isLive = ({ st }) => st === 'ringing' || st === 'accepted'
  const peerOf = (h, user) => {
    const made = PROCS.find(p => p.kind === 'create' && holderOf(p) === h && (p.caller === user || p.callee === user))
    return made?.caller === user ? made.callee : made?.caller
  }
  const activeOthers = (held, h) => Object.keys(held).filter(x => x !== h && held[x] === 'active')

  /** What stands behind a holder's lease on a user: nothing yet, the holder's live call, or nothing that will ever be. */
  function behind(s, h, user) {
    const call = s.call[h.split('/')[0]]
    const caller = callerIn(h)
    if (call.st === 'none') return caller !== undefined && call.tombs.includes(caller) ? 'over' : 'none'
    if (call.st === 'ended') return 'over'
    if (caller !== undefined && call.caller !== caller) return 'over'
    return call.caller === user || call.callee === user ? 'live' : 'over'
  }
  const entomb = (s, id, caller) => {
    const call = s.call[id]
    if (call.st !== 'none' || call.tombs.includes(caller)) return
    call.tombs = [...call.tombs, caller].sort().join('')
  }

  function steps(s, k) {
    const p = { ...PROCS[k], ...s.procs[k] }
    const out = []
    const go = change => {
      const t = clone(s)
      change(t, t.procs[k])
      out.push(t)
    }
    const h = holderOf(p)
    const call = s.call[p.id]
    const user = i => [p.caller, p.callee].sort()[i]
    const mine = call.caller === p.caller
    if (p.pc === 'L0' || p.pc === 'L1') {
      const u = user(p.pc === 'L0' ? 0 : 1)
      const held = s.lease[u]
      const isCaller = u === p.caller
      const peer = isCaller ? p.callee : p.caller
      const full = isCaller && activeOthers(held, h).length >= slots
      const rivals = Object.keys(held).filter(x => x !== h && (peerOf(x, u) === peer || (full && held[x] === 'active')))
      if (held[h] || rivals.length === 0)
        go((t, q) => {
          t.lease[u][h] ??= isCaller ? 'active' : 'ringing'
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
        else go(t => entomb(t, id, callerOf(p.rival)))
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
      // Their call rings for this create's caller, whose lease for it has to be active first.
      const held = s.lease[p.caller]
      if (!held[p.rival])
        go((_, q) => {
          q.pc = 'FAIL'
        })
      else if (held[p.rival] !== 'active' && activeOthers(held, p.rival).length >= slots)
        go((_, q) => {
          q.pc = 'FAIL'
        })
      else
        go((t, q) => {
          t.lease[p.caller][p.rival] = 'active'
          q.pc = 'MTOMB'
        })
    } else if (p.pc === 'MTOMB')
      go((t, q) => {
        entomb(t, p.id, p.caller)
        Object.assign(q, { pc: 'REL0', merge: !(isLive(call) && mine) })
      })
    else if (p.pc === 'COMMIT')
      go((t, q) => {
        q.pc = 'REL0'
        if (call.st === 'none' && !call.tombs.includes(p.caller)) {
          t.call[p.id] = { ...t.call[p.id], st: 'ringing', caller: p.caller, callee: p.callee, tombs: '' }
          q.pc = 'DONE'
        } else if (call.st !== 'none' && !mine && rule === 'leak-on-throw') q.pc = 'DONE'
        else if (isLive(call) && mine && call.callee !== p.callee && rule === 'leak-on-callee') q.pc = 'DONE'
      })
    else if (p.pc === 'FAIL')
      go((t, q) => {
        if (rule !== 'plain-rollback') entomb(t, p.id, p.caller)
        q.pc = 'REL0'
      })
    else if (p.pc === 'REL0' || p.pc === 'REL1') {
      // Only what the call under the id is not behind; a call that ends later releases the rest itself.
      const u = user(p.pc === 'REL0' ? 0 : 1)
      const unbacked = behind(s, h, u) !== 'live' || rule === 'plain-rollback'
      go((t, q) => {
        if (unbacked) delete t.lease[u][h]
        q.pc = p.pc === 'REL0' ? 'REL1' : p.merge ? 'MACC' : 'DONE'
      })
    } else if (p.pc === 'MACC')
      go((t, q) => {
        const theirs = t.call[p.rival.split('/')[0]]
        if (theirs.st === 'ringing' && theirs.caller === p.callee && theirs.callee === p.caller) theirs.st = 'accepted'
        q.pc = 'DONE'
      })
    else if (p.pc === 'READ') {
      if (call.st === 'ringing' && mine)
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
    return out
  }

  function* next(s) {
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
        t.call[id].out = [...call.out, `${call.caller}>${call.caller}`, `${call.caller}>${call.callee}`].sort()
        yield t
      }
      for (const item of call.out) {
        const [caller, user] = item.split('>')
        const t = clone(s)
        delete t.lease[user][rule === 'id-only' ? id : `${id}/${caller}`]
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
      const h = rule === 'id-only' ? id : `${id}/${c.caller}`
      if (s.lease[c.caller][h] !== 'active') return `I3: ${h} lives without its caller's lease`
      if (s.lease[c.callee][h] === undefined) return `I3: ${h} lives without its callee's lease`
      if (c.st === 'accepted' && rule !== 'commit-first' && s.lease[c.callee][h] !== 'active')
        return `I3: ${h} is accepted without its callee's active lease`
    }
    if (s.crashes > 0 || !s.procs.every(({ pc }) => pc === 'DONE' || pc === 'READ')) return null
    for (const u of users)
      for (const h of Object.keys(s.lease[u])) {
        const waits = s.call[h.split('/')[0]].out.includes(`${callerOf(h)}>${u}`)
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
    const procs = s.procs.map(({ pc, rival, user, back, merge }) =>
      pc === 'DONE' || pc === 'DEAD' ? pc : [pc, rival, user, back, merge].join()
    )
    const calls = Object.values(s.call).map(({ st, caller, callee, tombs, out }) =>
      [st, caller, callee, tombs, ...out].join()
    )
    return `${held.join(';')} ${calls.join(';')} ${procs.join(';')} ${s.crashes}`
  }
  const seen = new Set([keyOf(init)])
  let frontier = [init]
  while (frontier.length > 0) {
    const later = []
    for (const s of frontier) {
      const why = violates(s)
      if (why) return { states: seen.size, violation: why, state: s }
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
  return { states: seen.size, violation: null }
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
