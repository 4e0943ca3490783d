// The timer index in Redis. On one server there is one index, and a claim is one script. On a Cluster each partition has an index: the live
// nodes share the partitions, and each claim covers the next part of the node's share.
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
import type { RunCommand } from './clients.js'
import { toFault } from './faults.js'
import { NODES_KEY, parseAggregateKey, timersKey, waitingKey } from './keys.js'
import { claimDue, recordHeartbeat } from './scripts.js'
import { shareOf } from './shares.js'
import { createTimerList } from './timer-list.js'
import type { Topology } from './topology.js'

/** Less than the second that is promised, because a worker claims at its next tick. */
const CLAIM_EVERY_MS = 900
const HEARTBEAT_EVERY_MS = 1_000
/** Two heartbeats may be missed. Meanwhile the next node in order reads the partitions of a dead node. */
const ALIVE_MS = 3_000

interface Parts {
  readonly runCommand: RunCommand
  readonly topology: Pick<Topology, 'isOneServer'>
  /** Names this process among the live nodes. */
  readonly node: string
  readonly log: FastifyBaseLogger
}

export interface RedisTimers extends Timers {
  /** Removes this node's heartbeat. Never rejects: a heartbeat that stays expires. */
  leave(): Promise<void>
}

export function createRedisTimers(parts: Parts): RedisTimers {
  const { runCommand, topology } = parts
  const shares = createShareClaims(parts)
  return {
    claimDue: options => (topology.isOneServer() ? claimIn(runCommand, null, options) : shares.claimDue(options)),
    list: createTimerList(parts),
    leave: shares.leave
  }
}

/** Claims in the index of one partition, or (null) in the only one. */
async function claimIn(
  runCommand: RunCommand,
  partition: number | null,
  options: ClaimOptions
): Promise<ClaimedTimers> {
  const { now, claimMs, staleMs, limit, classes } = options
  const held = claimMarker(now, claimMs)
  const [, due, stale, more, next] = await claimDue(
    runCommand,
    [waitingKey(partition), ...classes.map(each => timersKey(partition, each))],
    [now, held, now - staleMs, limit]
  )
  const nextClaimAt = Math.min(now + CLAIM_EVERY_MS, next === '' ? Infinity : Number(next))
  return {
    due: due.map(parseAggregateKey),
    stale: stale.map(parseAggregateKey),
    claimedUntil: held,
    more: more === 1,
    nextClaimAt
  }
}

function createShareClaims({ runCommand, node, log }: Parts): Omit<RedisTimers, 'list'> {
  let nodes: readonly string[] = []
  let share: readonly number[] = shareOf(node, [node])
  let heartbeatAt = Number.NEGATIVE_INFINITY
  let turn = 0
  /** How many claims in a row left nothing behind. Below CLAIM_TURNS another part may have more. */
  let clean = CLAIM_TURNS

  /** If the heartbeat fails the share stays as it is: an additional reader of a partition does no harm. */
  async function renewShare(now: number): Promise<void> {
    if (Math.abs(now - heartbeatAt) < HEARTBEAT_EVERY_MS) return
    try {
      const live = await recordHeartbeat(runCommand, [NODES_KEY], [node, now, ALIVE_MS])
      heartbeatAt = now
      if (live.join() !== nodes.join()) share = shareOf(node, live)
      nodes = live
    } catch (error) {
      log.warn({ err: toFault(error) }, 'heartbeat not recorded')
    }
  }

  /**
   * A partition that fails does not delay the others.
   * @throws AppError store_unavailable if all failed
   */
  async function claimAll(partitions: readonly number[], options: ClaimOptions): Promise<ClaimedTimers[]> {
    const results = await Promise.allSettled(partitions.map(partition => claimIn(runCommand, partition, options)))
    const found = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.find(result => result.status === 'rejected')
    if (failed && found.length === 0) throw failed.reason
    if (failed) log.warn({ err: failed.reason }, 'timers of some partitions not claimed')
    return found
  }

  async function claimDue(options: ClaimOptions): Promise<ClaimedTimers> {
    const { now, claimMs, classes } = options
    await renewShare(now)
    // By partition number, so that a share that changes during a round skips no partition.
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
      nextClaimAt: now + CLAIM_EVERY_MS / CLAIM_TURNS
    }
  }

  async function leave(): Promise<void> {
    if (heartbeatAt === Number.NEGATIVE_INFINITY) return
    await runCommand(client => client.zrem(NODES_KEY, node)).catch(() => {})
  }

  return { claimDue, leave }
}
