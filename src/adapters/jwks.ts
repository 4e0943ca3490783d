// The key set of the identity provider (RFC 7517), fetched when first needed, kept fresh while tokens come, and fetched at once when
// a token names a key that is not in it: that is how keys rotate. Anybody can make up a key id, so those fetches are rationed.
import type { FastifyBaseLogger } from 'fastify'
import { createLocalJWKSet, exportSPKI, type JSONWebKeySet, type JWTHeaderParameters, errors as joseErrors } from 'jose'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'
import { ask } from './outgoing.js'

const TIMEOUT_MS = 5000
/** A key set has a few keys of less than 2 KiB each. */
const MAX_BYTES = 512 * 1024
/** A set that is older is fetched anew in the background, and one that is older still before anything is accepted by it. */
const REFRESH_AFTER_MS = 30_000
const STALE_AFTER_MS = 50_000
/** A provider that failed is asked again after this long; meanwhile the old set is used. */
const RETRY_AFTER_MS = 10_000
/** Fetches on behalf of unknown keys: so many at once, and one more every so often. */
const SPARE_FETCHES = 5
const SPARE_FETCH_EVERY_MS = 2000

export interface KeySet {
  /** Rises with each set that differs from the one before it. */
  version(): number
  /**
   * Whether what was verified with that version still holds: it is the present one, and was fetched within the last 50 s. While the
   * provider fails, an old set is better than none. Asking keeps the set fresh.
   */
  isCurrent(version: number): boolean
  /** Finds the public key for a token's header, as PEM; null when the set has none for it. Throws keys_unavailable when there is no set. */
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
  const mayFetchForUnknownKey = createRation(clock)

  async function fetchKeys(): Promise<void> {
    const startedAt = clock.now()
    try {
      const answer = await ask(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES })
      if (answer.status !== 200) throw new Error(`answered with ${answer.status}`)
      if (answer.text !== text) {
        keys = createLocalJWKSet(JSON.parse(answer.text) as JSONWebKeySet)
        text = answer.text
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

  /** All callers wait for the same fetch. */
  function refresh(): Promise<void> {
    fetching ??= fetchKeys()
    return fetching
  }

  /** While the provider fails it is asked in the background only: nobody waits for its silence. */
  const isStale = () => clock.now() - Math.max(fetchedAt, failedAt) > STALE_AFTER_MS

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
      if (isStale() || (keys === null && (fetching !== null || mayFetchForUnknownKey()))) await refresh()
      refreshInBackground()
      if (keys === null) throw new AppError('keys_unavailable')
      const found = await pick(keys, header)
      if (found !== null || !(fetching !== null || mayFetchForUnknownKey())) return found
      await refresh()
      return pick(keys, header)
    }
  }
}

/** True for the first few, and then once in a while. */
function createRation(clock: Clock): () => boolean {
  let spare = SPARE_FETCHES
  let sparedAt = clock.now()
  return () => {
    const earned = Math.floor((clock.now() - sparedAt) / SPARE_FETCH_EVERY_MS)
    sparedAt += earned * SPARE_FETCH_EVERY_MS
    spare = Math.min(SPARE_FETCHES, spare + earned)
    return spare > 0 && spare-- > 0
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
