// What a device proves itself by: an Ed25519 key, or 256-bit keys. An enrollment code lets a device set its key once.

/** As it is stored. */
export interface CredentialState {
  /** base64url of 32 bytes. With it there are no keys. */
  readonly publicKey: string | null
  /** Digests of at most two 256-bit keys: the newest, and the one that the device had before, which is valid until the newest is used. */
  readonly keyDigests: readonly string[]
  readonly code: EnrollmentCode | null
  readonly createdAt: number
  /** When the device last proved itself, or an operator or the device changed the credential. Up to a day late. */
  readonly usedAt: number
}

interface EnrollmentCode {
  readonly digest: string
  readonly expiresAt: number
  /** The public key that used it: a repeat with this key gets the same reply. */
  readonly redeemedBy: string | null
}

export const ENROLLMENT_CODE_TTL_MS = 600_000
const DAY_MS = 86_400_000
/** A credential that is not used for this long is removed. */
const UNUSED_MS = 365 * DAY_MS

type Known = CredentialState | null

const changed = (state: Known, now: number): Omit<CredentialState, 'publicKey' | 'keyDigests'> => ({
  code: null,
  createdAt: state?.createdAt ?? now,
  usedAt: now
})

/** By an operator, or by the device itself. Whatever it had before is valid no longer. */
export const setPublicKey = (state: Known, publicKey: string, now: number): CredentialState => ({
  ...changed(state, now),
  publicKey,
  keyDigests: []
})

/** The key that the device may have is valid until this one is used. Keys made in between are not: their replies may have been lost. */
export const addKey = (state: Known, digest: string, now: number): CredentialState => ({
  ...changed(state, now),
  publicKey: null,
  keyDigests: [digest, ...(state?.keyDigests ?? []).slice(-1)]
})

/** Replaces an earlier code. What the device has is valid until the code is used. */
export const addCode = (state: Known, digest: string, now: number): CredentialState => ({
  ...{ publicKey: null, keyDigests: [], createdAt: now, usedAt: now },
  ...state,
  code: { digest, expiresAt: now + ENROLLMENT_CODE_TTL_MS, redeemedBy: null }
})

/** Null: the code is not valid for this key. */
export function redeemCode(
  state: Known,
  { digest, publicKey }: { digest: string; publicKey: string },
  now: number
): CredentialState | null {
  const code = state?.code
  if (!state || !code || code.digest !== digest || code.expiresAt <= now) return null
  // A repeat, because the reply was lost. If the key was changed since, the code is history.
  if (code.redeemedBy !== null) return code.redeemedBy === publicKey && state.publicKey === publicKey ? state : null
  return { ...setPublicKey(state, publicKey, now), code: { ...code, redeemedBy: publicKey } }
}

/** The device has proved itself. The same state: nothing has to be written. @param digest of the key that it sent; null: it signed */
export function recordUse(state: CredentialState, digest: string | null, now: number): CredentialState {
  const [newest] = state.keyDigests
  const keyDigests = digest !== null && digest === newest ? state.keyDigests.slice(0, 1) : state.keyDigests
  if (keyDigests.length === state.keyDigests.length && now - state.usedAt < DAY_MS) return state
  return { ...state, keyDigests, usedAt: now }
}

export const isUsable = ({ publicKey, keyDigests }: CredentialState): boolean =>
  publicKey !== null || keyDigests.length > 0

export const expiryOf = (state: CredentialState): number =>
  isUsable(state) ? state.usedAt + UNUSED_MS : (state.code?.expiresAt ?? 0)
