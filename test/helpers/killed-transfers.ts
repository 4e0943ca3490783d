// A node is killed after each number of writes that it makes for a request of a transfer, on one Redis or on a Cluster. The clients resume, and repeat
// their requests at the other node. Each user gets one end, and is free afterwards.
import type { Test } from 'tap'
import { Fleet } from './fleet.js'
import { startCluster, startRedis } from './redis.js'
import { ROLES, type Role, TransferCase, untilTaken } from './transfer-case.js'
import type { Outcome } from './transfer-outcomes.js'
import { VICTIM, WriteGate } from './write-gate.js'

const [VICTIM_NODE, SURVIVOR] = [0, 1]
/** More than any request makes. */
const WRITES_MAX = 40
/** Every second time the streams of those who are rung or stay are on the node that dies. */
const STREAMS: readonly (readonly Role[])[] = [[], ['bob', 'carol']]

export class KilledTransfers {
  readonly #fleet: Fleet
  readonly #gate: WriteGate
  /** Of the node that dies. */
  readonly #url: string
  #cases = 0

  private constructor(fleet: Fleet, gate: WriteGate, url: string) {
    this.#fleet = fleet
    this.#gate = gate
    this.#url = url
  }

  static async open(isCluster: boolean): Promise<KilledTransfers> {
    const redis = await (isCluster ? startCluster(3, 0) : startRedis())
    const ports = 'nodes' in redis ? redis.nodes.map(({ port }) => port) : [redis.port]
    const gate = await WriteGate.open(ports)
    if (isCluster) await gate.announce(ports)
    const hosts = gate.ports.map(port => `127.0.0.1:${port}`).join(',')
    const scheme = isCluster ? 'redis-cluster' : 'redis'
    const env = { RING_TIMEOUT_MS: '3000' }
    const fleet = await Fleet.launch(0, { url: `${scheme}://${hosts}`, stop: () => redis.stop() }, env)
    await fleet.start(SURVIVOR)
    return new KilledTransfers(fleet, gate, `${scheme}://${VICTIM}@${hosts}`)
  }

  /** Kills a node after each of these numbers of writes; those that outlive all their writes are not tried with more. */
  async check(t: Test, outcomes: readonly Outcome[], counts?: readonly number[]): Promise<void> {
    let left = outcomes
    for (const writes of counts ?? Array(WRITES_MAX).keys()) {
      if (left.length === 0) return
      await t.test(`after ${writes} writes`, async t => {
        left = await this.#killAfter(t, left, writes)
      })
    }
    if (!counts) t.same(left, [], 'all writes were made in the end')
  }

  /** The node that dies may make none of its writes. The other one fires those timers that it has not claimed. */
  async checkTimers(t: Test, outcomes: readonly Outcome[]): Promise<void> {
    await t.test('when timers fire', async t => {
      await this.#killAfter(t, outcomes, 0)
    })
  }

  /** Resolves to the outcomes of which a write was withheld. */
  async #killAfter(t: Test, outcomes: readonly Outcome[], writes: number): Promise<readonly Outcome[]> {
    await this.#fleet.start(VICTIM_NODE, { REDIS_URL: this.#url })
    const onVictim = STREAMS[writes % 2] ?? []
    const nodes = { victim: VICTIM_NODE, survivor: SURVIVOR, onVictim }
    const cases = await Promise.all(
      outcomes.map(async outcome => {
        const users = await TransferCase.open(this.#fleet, `k${++this.#cases}x`, nodes)
        await users.connect('alice', 'bob')
        return { outcome, users }
      })
    )
    await Promise.all(cases.map(({ outcome, users }) => outcome.before?.(users)))
    await Promise.all(cases.map(each => this.#send(each, writes)))
    const isCut = new Set(cases.filter(({ users }) => this.#gate.isShut(users.name)).map(({ outcome }) => outcome))
    await this.#fleet.kill(VICTIM_NODE)
    t.jobs = outcomes.length
    const finished = ({ outcome, users }: (typeof cases)[number]) =>
      t.test(outcome.name, { buffered: true }, t => finish(t, users, outcome))
    await Promise.all(cases.map(finished))
    return outcomes.filter(outcome => isCut.has(outcome))
  }

  async #send({ outcome, users }: { outcome: Outcome; users: TransferCase }, writes: number): Promise<void> {
    const isShut = this.#gate.passOnly(writes, users.name)
    const request = requestOf(outcome, users)
    if (request) await users.postToVictim(outcome.by, request)
    else await Promise.race([isShut, users.receive(outcome.by, outcome.firesWith ?? '')])
    await this.#gate.untilQuiet(users.name)
  }

  async close(): Promise<void> {
    await this.#fleet.stop()
    await this.#gate.close()
  }
}

function requestOf({ request }: Outcome, users: TransferCase) {
  if (request === undefined) return null
  const { method = 'POST', path, body } = request(users)
  return { method, path, body }
}

async function finish(t: Test, users: TransferCase, outcome: Outcome): Promise<void> {
  await users.resume()
  const request = requestOf(outcome, users)
  if (request && !outcome.isAbandoned)
    await untilTaken('the repetition', () => {
      const { method, path, body } = request
      return users.client(outcome.by).request(method, `calls/${path}`, body)
    })
  await users.received()
  await outcome.after?.(users)
  await users.checkFree(t)
  for (const role of ROLES) {
    const ends = await users.ends(role)
    if (outcome.ends) t.same(ends, outcome.ends[role] ?? [], users.user(role))
    await users.client(role).checkMailbox(t)
  }
}
