// Revocations in Redis: one list in one partition, and a copy of it in each node. Each write publishes its record with the head before and after
// it. A node that has missed a write, which it checks once a second, reads the list again. If the list lacks what the node knows, a failover has
// lost it, and the node writes it again.
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.js'
import type { Ids } from '../../ids.js'
import { isInForce, RevocationMap, type RevocationRecord } from '../revocation-map.js'
import { ISSUER_LEAD_TTL_MS, type Revocations } from '../revocations.js'
import type { Channels } from './channels.js'
import type { RunCommand } from './clients.js'
import { toFault, unavailable } from './faults.js'
import { parseRevocationId, REVOCATION_CHANNEL, REVOCATION_KEYS, revocationId } from './keys.js'
import { noteIssuerLead, putRevocation } from './scripts.js'

export interface RedisRevocations extends Revocations {
  /** Reads what this node has missed. Called once a second, and before a store that was unavailable counts as available. Never rejects. */
  observe(): Promise<void>
}

interface Parts {
  readonly runCommand: RunCommand
  readonly channels: Pick<Channels, 'listen'>
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Pick<Ids, 'unique'>
  readonly log: Pick<FastifyBaseLogger, 'debug' | 'warn'>
}

/** Records read or restored in one step, so that no other command waits long. */
const PAGE = 500
/** Real time, in which a message that was published before the reply to a command arrives. */
const MESSAGE_MS = 100

export function createRedisRevocations(parts: Parts): RedisRevocations {
  const { clock, log } = parts
  const known = new RevocationMap()
  const write = createWrite(parts)
  /** That of the last write that this node has. */
  let head = ''
  /** Those since the last check. */
  const heads = new Set<string>()
  /** False: a write before `head` was missed. */
  let isWhole = false
  let isLoaded = false
  let isListening = false
  let reading: Promise<void> | null = null

  function receive(text: string): void {
    const [before = '', after = '', id = '', record = ''] = text.split('\n')
    known.apply(parseRecord(id, record))
    if (before !== head) isWhole = false
    head = after
    heads.add(head)
  }

  /** Subscribed before it reads, so that no write falls between the two. */
  async function listen(): Promise<void> {
    if (isListening) return
    await parts.channels.listen(REVOCATION_CHANNEL, { receive, gap: () => void observe() })
    isListening = true
  }

  async function catchUp(): Promise<void> {
    await listen()
    heads.clear()
    heads.add(head)
    const current = (await parts.runCommand(client => client.get(REVOCATION_KEYS.head))) ?? ''
    // While others write, the reply is ahead of the messages or behind them.
    if (isLoaded && !heads.has(current)) await arrivals()
    if (!heads.has(current)) {
      isWhole = false
      head = current
    }
    if (!isWhole) await read()
    known.sweep(clock.now())
  }

  /** The second wait is for what arrived while this process had no time to receive it. */
  async function arrivals(): Promise<void> {
    await setTimeout(MESSAGE_MS, undefined, { ref: false })
    await setImmediate(undefined, { ref: false })
  }

  async function read(): Promise<void> {
    // Set first: a write that is missed during the scan is found by the next check.
    isWhole = true
    try {
      const expected = [...known.records()]
      const found = await scan(parts.runCommand, record => known.apply(record))
      await restore(expected, found)
    } catch (error) {
      isWhole = false
      throw error
    }
    isLoaded = true
  }

  async function restore(expected: readonly RevocationRecord[], found: ReadonlyMap<string, number>): Promise<void> {
    const now = clock.now()
    const isLost = (record: RevocationRecord) =>
      record.expiresAt > now && (found.get(revocationId(record)) ?? Number.NEGATIVE_INFINITY) < record.at
    const lost = expected.filter(isLost)
    if (lost.length === 0) return
    log.warn({ revocations: lost.length }, 'Redis has lost revocations; they are written again')
    for (let i = 0; i < lost.length; i += PAGE)
      await Promise.all(lost.slice(i, i + PAGE).map(record => write(record, { restored: true })))
  }

  function observe(): Promise<void> {
    reading ??= catchUp()
      .catch(error => log.debug({ err: toFault(error) }, 'revocations not read; they are tried again'))
      .finally(() => {
        reading = null
      })
    return reading
  }

  return {
    observe,
    async put(revocation, { max }) {
      const record = await write(revocation, { max })
      if (record !== null) known.apply(record)
      return isInForce(record) ? record : null
    },
    async remove(user, device, now) {
      const removed = { user, device, issuedAfter: 0, kind: 'removed' as const, at: now, expiresAt: now }
      const record = await write(removed, {})
      if (record !== null) known.apply(record)
      return record !== null
    },
    revocationOf(token) {
      if (!isLoaded) throw unavailable(new Error('the revocations are not read yet'))
      return known.revocationOf(token)
    },
    list: user => known.list(user),
    size: () => known.size,
    async noteIssuerLead(leadMs) {
      await noteIssuerLead(parts.runCommand, [REVOCATION_KEYS.issuerLeads], [leadMs, clock.now(), ISSUER_LEAD_TTL_MS])
    },
    async issuerLeadMs() {
      const { issuerLeads } = REVOCATION_KEYS
      const leads = await parts.runCommand(client => client.zrangebyscore(issuerLeads, `(${clock.now()}`, '+inf'))
      return Math.max(0, ...leads.map(Number))
    },
    // What the first reading finds is no news: nothing has been accepted before it.
    onRevoked: listener => known.onRevoked(user => isLoaded && listener(user))
  }
}

interface WriteOptions {
  readonly max?: number
  /** The record stood before, and was lost. */
  readonly restored?: boolean
}

/** The returned function resolves to the record that stands then; null: FULL or NONE, see the script. */
function createWrite({ runCommand, clock, ids }: Parts) {
  const { records, expiries, head } = REVOCATION_KEYS
  return async (record: RevocationRecord, { max = 0, restored = false }: WriteOptions) => {
    const { issuedAfter, kind, at, expiresAt } = record
    const id = revocationId(record)
    const stamps = [at, expiresAt, clock.now()]
    const args = [id, issuedAfter, kind, ...stamps, max, ids.unique(), REVOCATION_CHANNEL, restored ? 'restored' : '']
    const [status, text] = await putRevocation(runCommand, [records, expiries, head], args)
    return status === 'OK' ? parseRecord(id, text) : null
  }
}

/** Reads the whole list. Resolves to when each record was last changed, by id. */
async function scan(
  runCommand: RunCommand,
  take: (record: RevocationRecord) => void
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  let cursor = '0'
  do {
    const [next, flat] = await runCommand(client => client.hscan(REVOCATION_KEYS.records, cursor, 'COUNT', PAGE))
    for (let i = 0; i < flat.length; i += 2) {
      const record = parseRecord(flat[i] ?? '', flat[i + 1] ?? '')
      found.set(flat[i] ?? '', record.at)
      take(record)
    }
    cursor = next
  } while (cursor !== '0')
  return found
}

/** `text` as lua/revocation_put.lua writes it. */
function parseRecord(id: string, text: string): RevocationRecord {
  const [issuedAfter, kind, at, expiresAt] = text.split('|')
  return {
    ...parseRevocationId(id),
    issuedAfter: Number(issuedAfter),
    kind: kind as RevocationRecord['kind'],
    at: Number(at),
    expiresAt: Number(expiresAt)
  }
}
