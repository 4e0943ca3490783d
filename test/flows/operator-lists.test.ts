// An operator reads the list of calls and that of rooms page by page, while others begin and end.
import t, { type Test } from 'tap'
import { operate, WITH_ADMIN } from '../helpers/operator.js'
import { openScenario } from '../helpers/own-redis.js'
import type { Scenario } from '../helpers/scenario.js'
import { settingsFor } from '../helpers/test-cluster.js'

/** With those that begin meanwhile fewer than 512: the hash table of Redis keeps its size, so nothing is listed twice. */
const LASTING = 400
const BRIEF = 90
const BATCH = 20

interface Kind {
  readonly list: 'calls' | 'rooms'
  readonly id: 'callId' | 'roomId'
  begin(scenario: Scenario): (name: string) => Promise<void>
  readonly end: readonly [method: 'POST' | 'DELETE', path: string]
}

const CALLS: Kind = {
  ...{ list: 'calls', id: 'callId', end: ['POST', '/end'] },
  begin: scenario => async name => {
    const names = { callId: scenario.toWire(name), from: `from ${name}`, to: `to ${name}` }
    const { status } = await operate(scenario, 'POST', 'calls', { body: { ...names, whenOffline: 'ring' } })
    if (status !== 201) throw new Error(`no call: ${status}`)
  }
}
const ROOMS: Kind = {
  ...{ list: 'rooms', id: 'roomId', end: ['DELETE', ''] },
  begin: scenario => {
    const alice = scenario.addClient('alice', 'phone', { silent: true })
    return async name => {
      const { status } = await (await alice).request('PUT', `rooms/${name}`, {})
      if (status !== 201) throw new Error(`no room: ${status}`)
    }
  }
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`)

async function inBatches(all: readonly string[], run: (name: string) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < all.length; n += BATCH) await Promise.all(all.slice(n, n + BATCH).map(run))
}

/** While it reads each page, one that is brief ends and another one begins. */
async function walk(t: Test, scenario: Scenario, { list, id, begin, end: [method, path] }: Kind) {
  const start = begin(scenario)
  const end = (name: string) => operate(scenario, method, `${list}/${name}${path}`, { node: scenario.lastNode })
  const [lasting, ending, beginning] = [names('lasting', LASTING), names('ending', BRIEF / 2), names('new', BRIEF / 2)]
  await inBatches([...lasting, ...ending], start)
  const listed: string[] = []
  for (let [after, page] = ['', 0]; ; page++) {
    const query = `${list}?limit=7${after}`
    const [{ status, body }] = await Promise.all([
      operate(scenario, 'GET', query, { node: page % (scenario.lastNode + 1) }),
      ...ending.slice(page, page + 1).map(end),
      ...beginning.slice(page, page + 1).map(start)
    ])
    t.equal(status, 200)
    listed.push(...(body[list] as Readonly<Record<string, string>>[]).map(each => each[id] ?? ''))
    if (body.next === null) break
    after = `&after=${body.next}`
  }
  t.same(
    listed.filter(name => name.startsWith('lasting')).sort(),
    lasting.sort(),
    'all that live throughout are listed once'
  )
  t.equal(new Set(listed).size, listed.length, 'nothing is listed twice')
  t.ok(
    ending.some(name => !listed.includes(name)),
    'some ended while the pages were read'
  )
}

for (const kind of [CALLS, ROOMS])
  for (const setting of settingsFor(WITH_ADMIN))
    t.test(
      `${kind.list} that live while an operator reads the list are each on one page, whatever begins and ends: ${setting.name}`,
      async t => walk(t, (await openScenario(t, { setting, env: WITH_ADMIN })).scenario, kind)
    )
