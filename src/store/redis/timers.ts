// Timers in Redis. On one server all deadlines are in one index, and one script a look claims what is due. On a Cluster each partition has
// an index of its own: live nodes share the partitions, and each look claims in the next part of the node's share.
import type { FastifyBaseLogger } from 'fastify'
import { claimMarker } from '../claim-marker.js'
import {
  CLAIM_TURNS,
  type ClaimedTimers,
  type ClaimOptions,
  TIMER_CLASSES,
  type Timers,
  timerClassOf
} from '../timers.js'
import type { Attempt } from './clients.js'
import { toFault } from './faults.js'
import { NODES_KEY, pendingKey, refOf, timersKey } from './keys.js'
import { claimDue, recordHeartbeat } from './scripts.js'
import { shareOf } from './shares.js'
import type { Topology } from './topology.js'

/** Less than the second that is promised, because a worker asks at its next tick. */
const LOOK_EVERY_MS = 900
const HEARTBEAT_EVERY_MS = 1_000
/** Two heartbeats may be missed. Until then the partitions of a dead node are read by the next in order. */
const ALIVE_MS = 3_000

interface Parts {
  readonly attempt: Attempt
  readonly topology: Pick<Topology, 'isOneServer'>
  /** Names this process among the live nodes. */
  readonly node: string
  readonly log: FastifyBaseLogger
}

export interface RedisTimers extends Timers {
  /** The node counts as alive no longer. Never rejects: if it fails, its heartbeat lapses. */
  leave(): Promise<void>
}

export function createRedisTimers(parts: Parts): RedisTimers {
  const { attempt, topology } = parts
  const shares = createShareClaims(parts)
  return {
    claimDue: options => (topology.isOneServer() ? claimIn(attempt, null, options) : shares.claimDue(options)),
    leave: shares.leave
  }
}

/** In the index of one partition, or in the only one. */
async function claimIn(attempt: Attempt, partition: number | null, options: ClaimOptions): Promise<ClaimedTimers> {
  const { now, claimMs, staleMs, limit, classes } = options
  const held = claimMarker(now, claimMs)
  const [, due, stale, more, next] = await claimDue(
    attempt,
    [pendingKey(partition), ...classes.map(each => timersKey(partition, each))],
    [now, held, now - staleMs, limit]
  )
  const nextClaimAt = Math.min(now + LOOK_EVERY_MS, next === '' ? Infinity : Number(next))
  return { due: due.map(refOf), stale: stale.map(refOf), claimedUntil: held, more: more === 1, nextClaimAt }
}

function createShareClaims({ attempt, node, log }: Parts): RedisTimers {
  let nodes: readonly string[] = []
  let share: readonly number[] = shareOf(node, [node])
  let heartbeatAt = Number.NEGATIVE_INFINITY
  let turn = 0
  /** Claims in a row that left nothing behind: until all parts have had their turn, there may be more. */
  let clean = CLAIM_TURNS

  /** If it fails the share stays as it is: too many nodes that read a partition do no harm. */
  async function renewShare(now: number): Promise<void> {
    if (Math.abs(now - heartbeatAt) < HEARTBEAT_EVERY_MS) return
    try {
      const live = await recordHeartbeat(attempt, [NODES_KEY], [node, now, ALIVE_MS])
      heartbeatAt = now
      if (live.join() !== nodes.join()) share = shareOf(node, live)
      nodes = live
    } catch (error) {
      log.warn({ err: toFault(error) }, 'the heartbeat of this node was not noted')
    }
  }

  /** One partition in trouble does not keep the others waiting. @throws what the first failed with, if all did */
  async function claimAll(partitions: readonly number[], options: ClaimOptions): Promise<ClaimedTimers[]> {
    const results = await Promise.allSettled(partitions.map(partition => claimIn(attempt, partition, options)))
    const found = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.find(result => result.status === 'rejected')
    if (failed && found.length === 0) throw failed.reason
    if (failed) log.warn({ err: failed.reason }, 'the timers of some partitions were not claimed')
    return found
  }

  async function claimDue(options: ClaimOptions): Promise<ClaimedTimers> {
    const { now, claimMs, classes } = options
    await renewShare(now)
    // By their numbers: a share that changes in the middle of a round leaves no partition out of it.
    const part = share.filter(partition => partition % CLAIM_TURNS === turn)
    turn = (turn + 1) % CLAIM_TURNS
    const found = await claimAll(part, options)
    const isAllTaken = classes.length === TIMER_CLASSES.length && !found.some(({ more }) => more)
    clean = isAllTaken ? clean + 1 : 0
    return {
      due: TIMER_CLASSES.flatMap(each => found.flatMap(({ due }) => due.filter(ref => timerClassOf(ref) === each))),
      stale: found.flatMap(({ stale }) => stale),
      claimedUntil: claimMarker(now, claimMs),
      more: clean < CLAIM_TURNS,
      nextClaimAt: now + LOOK_EVERY_MS / CLAIM_TURNS
    }
  }

  async function leave(): Promise<void> {
    if (heartbeatAt === Number.NEGATIVE_INFINITY) return
    await attempt(client => client.zrem(NODES_KEY, node)).catch(() => {})
  }

  return { claimDue, leave }
}
