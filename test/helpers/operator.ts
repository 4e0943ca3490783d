// An operator, who sends requests to the admin API of a node of the cluster.
import assert from 'node:assert/strict'
import type { Scenario } from './scenario.js'
import type { Reply } from './test-client.js'

const SECRET = 'the-secret-of-operators-is-32-bytes-long'
/** The settings of nodes that have the admin API. */
export const WITH_ADMIN = { ADMIN_PORT: '0', ADMIN_SECRET: SECRET }

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Ids of calls, rooms and users in paths and bodies are names of the test. */
export async function operate(
  scenario: Scenario,
  method: Method,
  path: string,
  { node = 0, body }: { readonly node?: number; readonly body?: object } = {}
): Promise<Reply> {
  const named = path.replace(
    /^(calls|rooms|users)\/([^/?]+)/,
    (_, kind: string, id: string) => `${kind}/${scenario.toPath(id)}`
  )
  const reply = await scenario.cluster.adminOf(node).inject({
    method,
    url: `/v1/admin/${named}`,
    headers: { authorization: `Bearer ${SECRET}` },
    ...(body ? { payload: body } : {})
  })
  return { status: reply.statusCode, body: reply.body === '' ? {} : scenario.fromWire(reply.json()) }
}

/** All items of a list in pages of `limit`, asked of the nodes in turn. The list has those of other scenarios, too. */
export async function listAll<Item>(scenario: Scenario, list: 'calls' | 'rooms', limit: number): Promise<Item[]> {
  const found: Item[] = []
  for (let [after, page] = ['', 0]; ; page++) {
    const node = page % (scenario.lastNode + 1)
    const { status, body } = await operate(scenario, 'GET', `${list}?limit=${limit}${after}`, { node })
    assert.equal(status, 200)
    const items = body[list] as Item[]
    assert.ok(items.length <= limit)
    found.push(...items)
    if (body.next === null) return found
    after = `&after=${body.next}`
  }
}
