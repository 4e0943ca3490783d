// The key set of the identity provider (RFC 7517): fetched at the first token, refreshed in the background while tokens arrive, and served
// as stale-if-error while the provider fails. A token with an unknown key id fetches the set at once, because keys rotate; anyone can make
// up key ids, so these fetches have a budget. docs/decisions/0029-libraries.md compares this with jose's own remote key set.
import type { FastifyBaseLogger } from 'fastify'
import { createLocalJWKSet, exportSPKI, type JSONWebKeySet, type JWTHeaderParameters, errors as joseErrors } from 'jose'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'
import { sendRequest } from './outgoing.js'

const TIMEOUT_MS = 5000
/** A key set has a few keys of less than 2 KiB each. */
const MAX_BYTES = 512 * 1024
/** An older set is fetched again in the background. */
const REFRESH_AFTER_MS = 30_000
/** With an older set, verification waits for the next one: a key that the provider withdraws is refused within a minute. */
const STALE_AFTER_MS = 50_000
/** How long after a failure the next background fetch begins. */
const RETRY_AFTER_MS = 10_000
/** The budget of fetches for unknown key ids: this many at once, and one more after each interval. */
const UNKNOWN_KEY_FETCHES = 5
const UNKNOWN_KEY_FETCH_EVERY_MS = 2000

export interface KeySet {
  /** Incremented with each set that differs from the previous one. */
  version(): number
  /**
   * Whether a token that was verified with this version is still verified: it is the current version, fetched or tried within the last
   * 50 s. Each call may start a background fetch.
   */
  isCurrent(version: number): boolean
  /**
   * Finds the public key for the header of a token, as PEM. Null: the set has none.
   * @throws AppError keys_unavailable if no set could be fetched yet
   */
  find(header: JWTHeaderParameters): Promise<string | null>
}

interface KeySetParts {
  readonly clock: Clock
  readonly log: Pick<FastifyBaseLogger, 'warn'>
}

export function createKeySet(url: string, { clock, log }: KeySetParts): KeySet {
  let keys: ReturnType<typeof createLocalJWKSet> | null = null
  let text = ''
  let version = 0
  let fetchedAt = Number.NEGATIVE_INFINITY
  let failedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | null = null
  const takeUnknownKeyFetch = createFetchBudget(clock)

  async function fetchKeys(): Promise<void> {
    const startedAt = clock.now()
    try {
      const reply = await sendRequest(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES })
      if (reply.status !== 200) throw new Error(`replied with ${reply.status}`)
      if (reply.text !== text) {
        keys = createLocalJWKSet(JSON.parse(reply.text) as JSONWebKeySet)
        text = reply.text
        version++
      }
      fetchedAt = startedAt
    } catch (cause) {
      failedAt = clock.now()
      log.warn({ err: cause }, 'the key set could not be fetched')
      if (keys === null) throw new AppError('keys_unavailable', { cause })
    } finally {
      fetching = null
    }
  }

  /** Single flight: all callers wait for the same fetch. */
  function refresh(): Promise<void> {
    fetching ??= fetchKeys()
    return fetching
  }

  /** A failed fetch counts too: while tokens arrive and the provider fails, it is fetched in the background and no request waits. */
  const isStale = () => clock.now() - Math.max(fetchedAt, failedAt) > STALE_AFTER_MS

  /** To wait for a fetch that is in flight is free. */
  const mayFetch = () => fetching !== null || takeUnknownKeyFetch()

  function refreshInBackground(): void {
    const isDue = clock.now() - fetchedAt > REFRESH_AFTER_MS && clock.now() - failedAt > RETRY_AFTER_MS
    if (isDue) refresh().catch(() => undefined)
  }

  return {
    version: () => version,
    isCurrent(verifiedWith) {
      if (isStale()) return false
      refreshInBackground()
      return verifiedWith === version
    },
    async find(header) {
      if (isStale() || (keys === null && mayFetch())) await refresh()
      refreshInBackground()
      if (keys === null) throw new AppError('keys_unavailable')
      const found = await pick(keys, header)
      if (found !== null || !mayFetch()) return found
      await refresh()
      return pick(keys, header)
    }
  }
}

/** The returned function takes a fetch from the budget. False: none is left. */
function createFetchBudget(clock: Clock): () => boolean {
  let left = UNKNOWN_KEY_FETCHES
  let grantedAt = clock.now()
  return () => {
    const granted = Math.floor((clock.now() - grantedAt) / UNKNOWN_KEY_FETCH_EVERY_MS)
    grantedAt += granted * UNKNOWN_KEY_FETCH_EVERY_MS
    left = Math.min(UNKNOWN_KEY_FETCHES, left + granted)
    return left > 0 && left-- > 0
  }
}

async function pick(keys: ReturnType<typeof createLocalJWKSet>, header: JWTHeaderParameters): Promise<string | null> {
  try {
    return await exportSPKI(await keys(header))
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return null
    throw error
  }
}
