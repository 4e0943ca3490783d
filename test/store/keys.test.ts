import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { joinIds } from '../../src/id-text.js'
import { PARTITIONS, partitionOf } from '../../src/store/partition.js'
import * as keys from '../../src/store/redis/keys.js'
import { ROOM_GROUPS } from '../../src/store/rooms.js'
import { startRedis } from '../helpers/redis.js'

t.test('ids spread evenly over the partitions', async t => {
  const counts = new Array<number>(PARTITIONS).fill(0)
  for (const stem of ['user-', 'u', '0f8fad5b-d9cb-469f-a165-', '']) {
    for (let n = 0; n < 12_800; n++) {
      const partition = partitionOf(`${stem}${n}`)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
  }
  // 200 expected in each; six standard deviations.
  t.ok(Math.min(...counts) > 115, `${Math.min(...counts)}`)
  t.ok(Math.max(...counts) < 285, `${Math.max(...counts)}`)
})

t.test('the partition of an id never changes', async t => {
  // A change would move all keys of a running system.
  t.strictSame(['alice', 'bob', '', 'a.b~c@d-e_f'].map(partitionOf), [30, 86, 11, 221])
})

t.test('all keys of a user, call or room are in one slot, and the 256 partitions in different slots', async t => {
  const server = await startRedis({ cluster: true })
  t.teardown(() => server.stop())
  const { Redis } = await import('ioredis')
  const client = new Redis(server.port)
  t.teardown(() => client.disconnect())
  const slot = async (key: string) => Number(await client.call('CLUSTER', 'KEYSLOT', key))
  const source = { kind: 'call', id: 'other' } as const
  const own = [
    keys.devicesKey('bob'),
    keys.mailboxKey('bob', 'phone'),
    keys.takenCommitsKey('bob', source),
    keys.leasesKey('bob'),
    keys.knownKey('bob', 'alice'),
    keys.backoffKey('bob', 'alice'),
    keys.blocksKey('bob'),
    keys.membershipsKey('bob'),
    keys.invitationsKey('bob'),
    keys.mediaRoomsKey('bob'),
    keys.watchingKey('bob', 'phone'),
    keys.watchersKey('bob'),
    keys.ticketsKey('bob'),
    keys.pushSubscriptionsKey('bob'),
    keys.enrollmentCodeKey('bob'),
    keys.usedNonceKey('bob'),
    ...Object.values(keys.credentialKeys(partitionOf('bob'))),
    keys.budgetKey('bob', { name: 'calls', windowMs: 1_000, now: 7_000 }),
    keys.wakeChannel('bob')
  ]
  t.equal(new Set(own).size, own.length)
  for (const key of own) {
    t.ok(key.startsWith('sp:{p'), key)
    t.equal(await slot(key), keys.slotOf(partitionOf('bob')), key)
    t.equal(keys.partitionIn(key), partitionOf('bob'))
  }
  const call = keys.aggregateKeys({ kind: 'call', id: 'c' }, false)
  for (const key of Object.values(call)) t.equal(await slot(key), keys.slotOf(partitionOf('c')), key)
  const queue = keys.aggregateKeys({ kind: 'webhook', id: joinIds('d', 'call', 'c') }, false)
  for (const key of Object.values(queue))
    t.equal(await slot(key), keys.slotOf(partitionOf('c')), `${key} lies with its call`)
  t.equal(await slot(keys.callNotesKey('c')), keys.slotOf(partitionOf('c')))
  t.equal(await slot(keys.deliveryLogKey('d')), keys.slotOf(partitionOf('d')))
  for (const key of [call.state, call.outbox]) t.strictSame(keys.parseAggregateKey(key), { kind: 'call', id: 'c' })
  const room = keys.roomKeys('r', false)
  t.equal(new Set(Object.values(room).flat()).size, 8 + ROOM_GROUPS.length)
  for (const key of Object.values(room).flat()) t.equal(await slot(key), keys.slotOf(partitionOf('r')), key)
  t.equal(await slot(keys.cachedAnswerKey('r')), keys.slotOf(partitionOf('r')))
  t.strictSame(keys.parseAggregateKey(room.state), { kind: 'room', id: 'r' })
  t.equal(new Set(Array.from({ length: PARTITIONS }, (_, partition) => keys.slotOf(partition))).size, PARTITIONS)
})

t.test('every script is short, bound to one slot, and has a complete header', async t => {
  const folder = new URL('../../src/store/redis/lua/', import.meta.url)
  const texts = readdirSync(folder).map(name => [name, readFileSync(new URL(name, folder), 'utf8')] as const)
  const included = new Set(
    texts.flatMap(([, text]) => [...text.matchAll(/^-- include (\w+)$/gm)].map(found => found[1]))
  )
  for (const [name, text] of texts) {
    const lines = text.trimEnd().split('\n')
    t.ok(lines.length <= 60, `${name} has ${lines.length} lines`)
    if (included.has(name.replace('.lua', ''))) continue
    t.match(name, /^[a-z]+(_[a-z]+)+\.lua$/)
    t.match(lines[0], /^#!lua( flags=no-writes)?$/, `${name}: without it Redis lets a script write a second slot`)
    for (const part of ['Purpose:', 'KEYS:', 'ARGV:', 'RETURNS:', 'GUARANTEE:'])
      t.ok(text.includes(`-- ${part}`), `${name}: ${part}`)
  }
})
