// Explores every state of the transfer protocol (docs/decisions/0044-transfers.md) on a Cluster, where a lease is taken before its commit and released
// after it: all interleavings of the processes of a scenario. A process may crash before any step, a lease may count as old at any time, and a
// release may be executed once more, late.
//
// The lease of a user who came into the call by its transfer 2 is held by `C/2`, that of a user of the create by `C/0`. Peers are left out.
//   I1: no user is in more calls than there are slots. A call that another one ends, and a consultation, count for nothing.
//   I2: when no process runs and none has crashed, every lease belongs to a live call or will be released.
//   I3: a party of a live call has an active lease, and the target of a transfer a lease.
//   I4: at the end, a call that was replaced is over for its two users.
//   I5: a replaced call ends only while the target is in it.
// Usage: node transfers.mjs [RULE] [SCENARIO]. Without arguments it explores everything. A RULE is broken on purpose:
export const RULES = {
  'holder-without-number': "the lease of a transfer's target is named as those of the create",
  'take-over-without-fence': 'a lease whose transfer is not committed is released without closing the transfer',
  'accept-before-upgrade': "the accept commits before it upgrades the target's lease",
  'limit-plus-one': 'the target of an attended transfer may have one more call, whichever the others are',
  'end-other-regardless': 'the other call ends although the target has left it',
  'end-other-of-both': 'the other call goes on if the transferor has left it',
  'end-forgets-other': 'the end of a call forgets the other call that it has to end',
  'leave-keeps-lease': 'a transferor who hangs up keeps the lease',
  'swap-keeps-lease': 'the accept of the target keeps the lease of the transferor',
  'end-keeps-target': 'the end of a call keeps the lease of a user who rings',
  'accept-keeps-retaken': 'an accept keeps a lease that it took again although the transfer is over'
}
const transfer = (id, by, target, ends = null) => ({ kind: 'transfer', id, by, target, ends })
const accept = (id, user) => ({ kind: 'accept', id, user })
/** The user answers a call that has nothing to do with the transfer. */
const answer = (id, user) => ({ kind: 'answer', id, user })
/** A create conflicts with a lease of the user. */
const judge = user => ({ kind: 'judge', user })
const SLOTS = 1
/** `calls`: connected calls, `ringing`: one that rings for its second user. `again`: how many releases may be executed twice. */
export const SCENARIOS = {
  // two devices accept a blind transfer
  blind: { calls: { C: 'ab' }, processes: [transfer('C', 'a', 't'), accept('C', 't'), accept('C', 't'), judge('t')] },
  // the transferor tries the same user again
  again: {
    calls: { C: 'ab' },
    again: 1,
    crashes: 0,
    processes: [transfer('C', 'a', 't'), transfer('C', 'a', 't'), accept('C', 't')]
  },
  // both parties transfer
  both: {
    calls: { C: 'ab' },
    crashes: 0,
    processes: [transfer('C', 'a', 't'), transfer('C', 'b', 't'), accept('C', 't'), judge('t')]
  },
  // the call comes back to the first transferor
  loop: {
    calls: { C: 'ab' },
    again: 1,
    processes: [transfer('C', 'a', 't'), accept('C', 't'), transfer('C', 't', 'a'), accept('C', 'a')]
  },
  // a user who consults another one joins the two, while a third user calls the target
  attended: {
    calls: { C: 'ab', D: 'at' },
    ringing: { E: 'xt' },
    crashes: 0,
    processes: [transfer('C', 'a', 't', 'D'), accept('C', 't'), answer('E', 't')]
  },
  // the target of an attended transfer transfers the other call meanwhile
  crossing: {
    calls: { C: 'ab', D: 'at' },
    crashes: 0,
    processes: [transfer('C', 'a', 't', 'D'), transfer('D', 't', 'x'), accept('C', 't'), accept('D', 'x')]
  },
  // the transferor leaves the other call to another user meanwhile
  left: {
    calls: { C: 'ab', D: 'at' },
    crashes: 0,
    processes: [transfer('C', 'a', 't', 'D'), transfer('D', 'a', 'x'), accept('C', 't'), accept('D', 'x')]
  }
}
const STATES_MAX = 1_000_000

/** Visits every reachable state. Returns how many there are, how many transfers succeeded at most, and the first violation of an invariant. */
export function explore(scenarioName, rule = 'sound') {
  const { calls, ringing = {}, again = 0, crashes = 1, processes: PROCESSES } = SCENARIOS[scenarioName]
  const everyone =
    [...Object.values(calls), ...Object.values(ringing)].join('') + PROCESSES.map(p => p.target ?? '').join('')
  const users = [...new Set(everyone)].sort()
  const holder = (id, number) => `${id}/${rule === 'holder-without-number' ? 0 : number}`
  const newCall = (id, [first, second], isRinging) => ({
    id,
    isLive: true,
    parties: isRinging ? [first] : [first, second],
    rings: isRinging ? second : '',
    via: { [first]: 0, [second]: 0 },
    number: 0,
    transfer: null,
    endsCall: null,
    releases: [],
    swaps: 0
  })
  const init = {
    lease: Object.fromEntries(users.map(u => [u, {}])),
    call: Object.fromEntries([
      ...Object.entries(calls).map(([id, both]) => [id, newCall(id, both, false)]),
      ...Object.entries(ringing).map(([id, both]) => [id, newCall(id, both, true)])
    ]),
    processes: PROCESSES.map(() => ({ pc: 'READ' })),
    crashes: 0,
    repeats: 0,
    late: [],
    violation: null
  }
  for (const { id, parties, rings } of Object.values(init.call)) {
    for (const u of parties) init.lease[u][holder(id, 0)] = 'active'
    if (rings) init.lease[rings][holder(id, 0)] = 'ringing'
  }

  // No member of a call is changed in place.
  const clone = s => ({
    ...s,
    lease: Object.fromEntries(users.map(u => [u, { ...s.lease[u] }])),
    call: Object.fromEntries(Object.values(s.call).map(call => [call.id, { ...call }])),
    processes: s.processes.map(p => ({ ...p })),
    late: [...s.late]
  })
  const isIn = (call, user) => call.isLive && call.parties.includes(user)
  const holderOf = (call, user) =>
    holder(call.id, call.transfer?.target === user ? call.transfer.number : (call.via[user] ?? 0))
  /** Whether a lease belongs to a live call ('live'), may do so soon ('open'), or never again ('over'). */
  function statusOf(s, h, user) {
    const [id, number] = h.split('/')
    const call = s.call[id]
    if (!call.isLive) return 'over'
    if (rule === 'holder-without-number') {
      return call.transfer === null && !call.parties.includes(user) && call.rings !== user ? 'over' : 'live'
    }
    if (call.rings === user || (call.parties.includes(user) && call.via[user] === Number(number))) return 'live'
    if (call.transfer?.target === user && call.transfer.number === Number(number)) return 'live'
    return Number(number) > call.number ? 'open' : 'over'
  }
  const change = (t, id, changes) => {
    const call = t.call[id]
    Object.assign(call, changes)
    call.releases = [...call.releases].sort()
    for (const [k, q] of t.processes.entries()) if (PROCESSES[k].id === id && q.isCurrent) q.isCurrent = false
  }
  const endCall = (t, id) => {
    const call = t.call[id]
    const leased = [...call.parties, ...(call.rings ? [call.rings] : [])]
    if (call.transfer && rule !== 'end-keeps-target') leased.push(call.transfer.target)
    const releases = [...call.releases, ...leased.map(u => `${holderOf(call, u)}>${u}`)]
    const endsCall = rule === 'end-forgets-other' ? null : call.endsCall
    change(t, id, { isLive: false, transfer: null, rings: '', endsCall, releases })
  }
  const swap = (t, id) => {
    const call = t.call[id]
    const { by, target, number, ends } = call.transfer
    const leaves = call.parties.includes(by) && rule !== 'swap-keeps-lease'
    const released = leaves ? [`${holder(id, call.via[by] ?? 0)}>${by}`] : []
    change(t, id, {
      parties: [...call.parties.filter(u => u !== by), target],
      via: { ...call.via, [target]: number },
      transfer: null,
      endsCall: ends && { id: ends, users: [by, target] },
      releases: [...call.releases, ...released],
      swaps: call.swaps + 1
    })
  }

  function steps(s, k) {
    const p = { ...PROCESSES[k], ...s.processes[k] }
    const successors = []
    const go = apply => {
      const t = clone(s)
      apply(t, t.processes[k])
      successors.push(t)
    }
    const call = s.call[p.id]
    const to = pc => go((_, q) => Object.assign(q, { pc }))
    if (p.kind === 'judge') {
      const release = h => (t, q) => {
        delete t.lease[p.user][h]
        q.pc = 'DONE'
      }
      if (p.fenced) go(release(p.fenced))
      else
        for (const h of Object.keys(s.lease[p.user])) {
          const status = statusOf(s, h, p.user)
          const [id, number] = h.split('/')
          if (status === 'over' || (status === 'open' && rule === 'take-over-without-fence')) go(release(h))
          // A fence is a commit: the transfers up to this number are closed, so none of them will be committed.
          else if (status === 'open')
            go((t, q) => {
              change(t, id, { number: Number(number) })
              q.fenced = h
            })
        }
    } else if (p.kind === 'transfer' && p.pc === 'READ') {
      if (!isIn(call, p.by) || call.transfer || call.parties.includes(p.target)) to('WAIT')
      else go((_, q) => Object.assign(q, { pc: 'CLAIM', isCurrent: true, number: call.number + 1 }))
    } else if (p.pc === 'WAIT') {
      // The second request of a scenario comes when the first one is over. It may also never come.
      if (isIn(call, p.by) && !call.transfer && !call.parties.includes(p.target)) to('READ')
      else to('DONE')
    } else if (p.pc === 'CLAIM')
      go((t, q) => {
        t.lease[p.target][holder(p.id, p.number)] ??= 'ringing'
        q.pc = 'COMMIT'
      })
    else if (p.pc === 'COMMIT')
      go((t, q) => {
        if (!p.isCurrent) return Object.assign(q, { pc: 'CONFLICT' })
        const { by, target, ends, number } = p
        change(t, p.id, { number, transfer: { by, target, ends, number } })
        return Object.assign(q, { pc: 'DONE' })
      })
    else if (p.pc === 'CONFLICT')
      go(t => {
        const h = holder(p.id, p.number)
        if (statusOf(s, h, p.target) === 'over') delete t.lease[p.target][h]
        t.processes[k] = { pc: 'READ' }
      })
    else if (p.kind === 'accept' && p.pc === 'READ') {
      if (call.isLive && call.transfer?.target === p.user) {
        const pc = rule === 'accept-before-upgrade' ? 'ACCEPT' : 'UPGRADE'
        go((_, q) => Object.assign(q, { pc, isCurrent: true, number: call.transfer.number }))
      }
    } else if (p.kind === 'answer' && p.pc === 'READ') {
      if (call.isLive && call.rings === p.user)
        go((_, q) => Object.assign(q, { pc: 'UPGRADE', isCurrent: true, number: 0 }))
    } else if (p.pc === 'UPGRADE') {
      const h = holder(p.id, p.number)
      const ends = call.transfer?.ends
      const uncounted = rule !== 'limit-plus-one' && ends ? holder(ends, s.call[ends].via[p.user]) : ''
      const others = Object.keys(s.lease[p.user]).filter(
        x => x !== h && x !== uncounted && s.lease[p.user][x] === 'active'
      )
      const most = SLOTS + Number(rule === 'limit-plus-one' && Boolean(ends))
      if (s.lease[p.user][h] !== 'active' && others.length >= most) to('DONE')
      else
        go((t, q) => {
          t.lease[p.user][h] = 'active'
          q.pc = rule === 'accept-before-upgrade' && p.kind === 'accept' ? 'DONE' : 'ACCEPT'
        })
    } else if (p.pc === 'ACCEPT')
      go((t, q) => {
        q.pc = rule === 'accept-before-upgrade' && p.kind === 'accept' ? 'UPGRADE' : 'DONE'
        if (!p.isCurrent) return Object.assign(q, { pc: 'REFUSED' })
        if (p.kind === 'accept') return swap(t, p.id)
        return change(t, p.id, { rings: '', parties: [...call.parties, p.user] })
      })
    else if (p.pc === 'REFUSED')
      go(t => {
        const h = holder(p.id, p.number)
        if (statusOf(s, h, p.user) === 'over' && rule !== 'accept-keeps-retaken') delete t.lease[p.user][h]
        t.processes[k] = { pc: 'READ' }
      })
    return successors
  }

  /** What users, timers and the background task of the accept do. */
  function* events(s) {
    for (const [id, call] of Object.entries(s.call)) {
      const with_ = apply => {
        const t = clone(s)
        apply(t)
        return t
      }
      if (call.endsCall) {
        const { id: other, users: both } = call.endsCall
        const mustBeIn = rule === 'end-other-of-both' ? both : both.slice(1)
        const isNeeded = s.call[other].isLive && mustBeIn.every(u => s.call[other].parties.includes(u))
        if (isNeeded || (rule === 'end-other-regardless' && s.call[other].isLive))
          yield with_(t => {
            if (!isNeeded) t.violation = `I5: ${other} ends with ${s.call[other].parties}`
            endCall(t, other)
          })
        else yield with_(t => change(t, id, { endsCall: null }))
      }
      for (const item of call.releases) {
        const release = isRepeated => t => {
          const [h, user] = item.split('>')
          delete t.lease[user][h]
          t.call[id].releases = call.releases.filter(each => each !== item)
          if (!isRepeated) return
          t.repeats++
          t.late.push(item)
        }
        yield with_(release(false))
        if (s.repeats < again) yield with_(release(true))
      }
      if (!call.isLive) continue
      yield with_(t => endCall(t, id))
      const { transfer } = call
      if (!transfer) continue
      const { by, target, number } = transfer
      if (call.parties.includes(by)) {
        // The target declines or does not answer, or the transfer is taken back; or the transferor hangs up.
        const released = [...call.releases, `${holder(id, number)}>${target}`]
        yield with_(t => change(t, id, { transfer: null, releases: released }))
        const left = rule === 'leave-keeps-lease' ? [] : [`${holder(id, call.via[by] ?? 0)}>${by}`]
        yield with_(t =>
          change(t, id, { parties: call.parties.filter(u => u !== by), releases: [...call.releases, ...left] })
        )
      }
    }
    for (const [i, item] of s.late.entries()) {
      const t = clone(s)
      const [h, user] = item.split('>')
      delete t.lease[user][h]
      t.late.splice(i, 1)
      yield t
    }
  }

  function* next(s) {
    yield* events(s)
    for (const [k, { pc }] of s.processes.entries()) {
      if (pc === 'DONE' || pc === 'DEAD') continue
      yield* steps(s, k)
      if (s.crashes >= crashes || pc === 'READ' || pc === 'WAIT') continue
      const t = clone(s)
      t.processes[k] = { pc: 'DEAD' }
      t.crashes++
      yield t
    }
  }

  function violates(s) {
    if (s.violation) return s.violation
    const live = Object.values(s.call).filter(({ isLive }) => isLive)
    for (const u of users) {
      const ending = Object.values(s.call).flatMap(({ endsCall }) => (endsCall?.users.includes(u) ? endsCall.id : []))
      const counted = live.filter(call => call.parties.includes(u) && !ending.includes(call.id))
      const isConsulting =
        u === 'a' && calls.D && counted.some(({ id }) => id === 'C') && counted.some(({ id }) => id === 'D')
      if (counted.length > SLOTS + Number(isConsulting)) return `I1: ${u} is in ${counted.map(({ id }) => id)}`
    }
    for (const call of live) {
      for (const u of call.parties) {
        if (s.lease[u][holderOf(call, u)] === 'active') continue
        // A call that was accepted first takes its lease then.
        if (rule !== 'accept-before-upgrade') return `I3: ${u} is in ${call.id} without an active lease`
      }
      const { transfer } = call
      if (transfer && s.lease[transfer.target][holderOf(call, transfer.target)] === undefined)
        return `I3: ${call.id} rings for ${transfer.target} without a lease`
    }
    const isIdle = s.processes.every(({ pc }) => ['DONE', 'READ', 'WAIT'].includes(pc))
    if (!isIdle || s.crashes > 0 || s.late.length > 0) return null
    for (const u of users)
      for (const h of Object.keys(s.lease[u])) {
        const waits = s.call[h.split('/')[0]].releases.includes(`${h}>${u}`)
        if (statusOf(s, h, u) !== 'live' && !waits) return `I2: nothing will release ${h} on ${u}`
      }
    const { C, D } = s.call
    const isReplaced = scenarioName === 'attended' && C.swaps > 0 && C.endsCall === null
    return isReplaced && isIn(D, 't') ? 'I4: the consultation goes on' : null
  }

  const keyOf = ({ lease, call, processes, ...rest }) => {
    const held = users.map(u => Object.entries(lease[u]).sort().join())
    const records = Object.values(call).map(each => {
      const { isLive, parties, rings, via, number, transfer, endsCall, releases, swaps } = each
      const replaced = `${isLive},${parties},${rings},${endsCall?.id},${number},${swaps},${Object.values(via)}`
      return `${replaced},${transfer && Object.values(transfer)},${releases}`
    })
    return `${held.join(';')} ${records.join(';')} ${processes.map(({ pc, number, isCurrent, fenced }) => [pc, number, isCurrent, fenced]).join(';')} ${Object.values(rest)}`
  }
  const seen = new Set([keyOf(init)])
  let frontier = [init]
  let swaps = 0
  while (frontier.length > 0) {
    const later = []
    for (const s of frontier) {
      const why = violates(s)
      if (why) return { states: seen.size, swaps, violation: why, state: s }
      swaps = Math.max(swaps, ...Object.values(s.call).map(call => call.swaps))
      for (const t of next(s)) {
        for (const [k, { pc }] of t.processes.entries()) if (pc === 'DONE' || pc === 'DEAD') t.processes[k] = { pc }
        const key = keyOf(t)
        if (seen.has(key)) continue
        seen.add(key)
        later.push(t)
      }
    }
    frontier = later
    if (seen.size > STATES_MAX) throw new Error(`${rule} ${scenarioName}: undecided after ${seen.size} states`)
  }
  return { states: seen.size, swaps, violation: null }
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const [, , rule, scenario] = process.argv
  for (const name of scenario ? [scenario] : Object.keys(SCENARIOS))
    for (const each of rule ? [rule] : ['sound', ...Object.keys(RULES)]) {
      const startedAt = performance.now()
      const { states, violation } = explore(name, each)
      console.log(each, name, violation ?? 'holds', states, 'states', Math.round(performance.now() - startedAt), 'ms')
    }
}
