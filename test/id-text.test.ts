// The encoding of ids in texts that have parts, and the Redis keys that are made with it.
import fc from 'fast-check'
import t from 'tap'
import { decodeId, encodeId, joinIds, splitIds } from '../src/id-text.js'
import { isId } from '../src/schemas/common.js'
import { partitionOf } from '../src/store/partition.js'
import * as keys from '../src/store/redis/keys.js'
import { INVALID_IDS, ODD_IDS } from './helpers/ids.js'

const separated = fc.array(fc.constantFrom('a', 'b', '/', ':', '%', '%2F', '|', ',', '{', '}', ' ', 'é'), {
  minLength: 1
})
const anyId = fc
  .oneof(
    fc.constantFrom(...ODD_IDS),
    separated.map(parts => parts.join('')),
    fc.string({ unit: 'binary', minLength: 1 })
  )
  .filter(isId)

t.test('an id is what identity providers and fleets use, and nothing that breaks a line or a path', async t => {
  for (const id of ODD_IDS) t.equal(isId(id), true, encodeURIComponent(id))
  for (const id of INVALID_IDS) t.equal(isId(id), false, JSON.stringify(id))
})

t.test('a plain id is its own encoding; every other one is encoded without separators, and decoded', async t => {
  for (const id of ['alice', 'a.b~c@d-e_f', '7d1f0c1e-57a8-4f0e-9c55-0d2f6a1b3c4d', 'key~x', ''])
    t.equal(encodeId(id), id)
  fc.assert(
    fc.property(anyId, id => {
      t.match(encodeId(id), /^[\w.~@!*'()%-]*$/)
      t.equal(decodeId(encodeId(id)), id)
    })
  )
  t.equal(new Set(ODD_IDS.map(encodeId)).size, ODD_IDS.length)
})

t.test('composed ids are taken apart again, also when they are composed once more', async t => {
  fc.assert(
    fc.property(fc.array(anyId, { minLength: 1, maxLength: 4 }), ids => {
      t.strictSame(splitIds(joinIds(...ids)), ids)
      t.strictSame(splitIds(joinIds(joinIds(...ids), 'x')), [joinIds(...ids), 'x'])
    })
  )
})

t.test('Redis keys of ids that differ differ, and name their aggregate', async t => {
  const endpoint = fc.tuple(anyId, anyId)
  const namesOf = ([one, other]: readonly [string, string]) => [
    keys.mailboxKey(one, other),
    keys.knownKey(one, other),
    keys.watchingKey(one, other),
    keys.takenCommitsKey(one, { kind: 'pair', id: other }),
    keys.budgetKey(joinIds(one, other), { name: 'attempts', windowMs: 1000, now: 0 }),
    keys.stateKey({ kind: 'pair', id: joinIds(one, other, 'p') }),
    keys.stateKey({ kind: 'call', id: one }) + keys.cachedAnswerKey(other)
  ]
  fc.assert(
    fc.property(endpoint, endpoint, (a, b) => {
      fc.pre(a[0] !== b[0] || a[1] !== b[1])
      for (const [i, name] of namesOf(a).entries()) t.not(name, namesOf(b)[i])
    })
  )
  fc.assert(
    fc.property(anyId, anyId, (roomId, participant) => {
      for (const id of [roomId, joinIds(roomId, participant, 'p')]) {
        const key = keys.stateKey({ kind: 'pair', id })
        t.strictSame(keys.parseAggregateKey(key), { kind: 'pair', id })
        t.equal(keys.partitionIn(key), partitionOf(id))
      }
    })
  )
  t.equal(keys.stateKey({ kind: 'pair', id: 'standup/p1/p2' }).endsWith(':state:pair:standup/p1/p2'), true)
})
