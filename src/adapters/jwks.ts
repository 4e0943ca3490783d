// The key set of the identity provider (RFC 7517), fetched when first needed and again when a token names a key that is not
// in it: that is how keys rotate. Anybody can make up a key id, so such fetches are rationed.
import { createLocalJWKSet, exportSPKI, type JSONWebKeySet, type JWTHeaderParameters, errors as joseErrors } from 'jose'
import type { Clock } from '../clock.js'
import { AppError } from '../errors.js'

const TIMEOUT_MS = 5000
/** Keys that were withdrawn stop working after so long at the latest. */
const MAX_AGE_MS = 600_000
/** Fetches on behalf of unknown keys: so many at once, and one more every so often. */
const SPARE_FETCHES = 5
const SPARE_FETCH_EVERY_MS = 2000

/** Finds the public key for a token's header, as PEM; null when the key set has none for it. Throws keys_unavailable when there is no key set. */
export type FindKey = (header: JWTHeaderParameters) => Promise<string | null>

export function createKeySet(url: string, clock: Clock): FindKey {
  let keys: ReturnType<typeof createLocalJWKSet> | null = null
  let fetchedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | null = null
  let spare = SPARE_FETCHES
  let sparedAt = clock.now()

  async function fetchKeys(): Promise<void> {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
      if (!response.ok) throw new Error(`the key set was answered with ${response.status}`)
      keys = createLocalJWKSet((await response.json()) as JSONWebKeySet)
      fetchedAt = clock.now()
    } catch (cause) {
      // An old key set is better than none: tokens signed with its keys stay good through an outage of the provider.
      if (keys === null) throw new AppError('keys_unavailable', { cause })
    } finally {
      fetching = null
    }
  }

  /** Whoever asks meanwhile waits for the same fetch. */
  function refresh(): Promise<void> {
    fetching ??= fetchKeys()
    return fetching
  }

  function mayFetch(): boolean {
    const now = clock.now()
    const earned = Math.floor((now - sparedAt) / SPARE_FETCH_EVERY_MS)
    sparedAt += earned * SPARE_FETCH_EVERY_MS
    spare = Math.min(SPARE_FETCHES, spare + earned)
    return spare > 0 && spare-- > 0
  }

  return async header => {
    if ((keys === null || clock.now() - fetchedAt > MAX_AGE_MS) && (fetching !== null || mayFetch())) {
      await refresh()
    }
    if (keys === null) throw new AppError('keys_unavailable')
    const found = await pick(keys, header)
    if (found !== null || !(fetching !== null || mayFetch())) return found
    await refresh()
    return pick(keys, header)
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
