// Nonces that devices sign. A nonce is its time, random bytes and their HMAC by a key that all nodes derive from SIGNING_KEYS, so that
// asking for one stores nothing. What is stored is that it was used, once a device has proved itself with it.
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../errors.js'
import { type Context, perContext } from '../context.js'

const NONCE_TTL_MS = 60_000
/** Nodes may differ in their time by this much. */
const SKEW_MS = 10_000
const TIME_BYTES = 8
const RANDOM_BYTES = 16
const MAC_BYTES = 16
const BYTES = TIME_BYTES + RANDOM_BYTES + MAC_BYTES

const macKeys = perContext<{ keys?: readonly Buffer[] }>(() => ({}))

/** One for each key of the server: the first one makes nonces, all of them check. @throws AppError no_device_credentials */
function keysOf(context: Context): readonly [Buffer, ...Buffer[]] {
  const kept = macKeys(context)
  kept.keys ??= context.config.signingKeys.map(seed =>
    Buffer.from(hkdfSync('sha256', Buffer.from(seed, 'base64url'), '', 'signalpost-device-nonce', 32))
  )
  const [first, ...others] = kept.keys
  if (first === undefined) throw new AppError('no_device_credentials')
  return [first, ...others]
}

const macOf = (key: Buffer, head: Buffer): Buffer =>
  createHmac('sha256', key).update(head).digest().subarray(0, MAC_BYTES)

export interface IssuedNonce {
  readonly nonce: string
  readonly expiresInMs: number
}

/** @throws AppError no_device_credentials */
export function issueNonce(context: Context): IssuedNonce {
  const [key] = keysOf(context)
  const head = Buffer.alloc(TIME_BYTES + RANDOM_BYTES)
  head.writeBigUInt64BE(BigInt(context.clock.now()))
  randomBytes(RANDOM_BYTES).copy(head, TIME_BYTES)
  return { nonce: Buffer.concat([head, macOf(key, head)]).toString('base64url'), expiresInMs: NONCE_TTL_MS }
}

/** Whether this server made the nonce, and not too long ago. Not whether it was used. @throws AppError invalid_nonce */
export function checkNonce(context: Context, nonce: string): void {
  const keys = keysOf(context)
  const bytes = Buffer.from(nonce, 'base64url')
  // One nonce must not have two texts: each could be used once.
  if (bytes.length !== BYTES || bytes.toString('base64url') !== nonce) throw new AppError('invalid_nonce')
  const head = bytes.subarray(0, -MAC_BYTES)
  if (!keys.some(key => timingSafeEqual(macOf(key, head), bytes.subarray(-MAC_BYTES))))
    throw new AppError('invalid_nonce')
  const age = context.clock.now() - Number(head.readBigUInt64BE())
  if (age > NONCE_TTL_MS || age < -SKEW_MS) throw new AppError('invalid_nonce')
}

/** @throws AppError invalid_nonce if it was used */
export async function useNonce({ store }: Context, nonce: string): Promise<void> {
  const isFirst = await store.deviceCredentials.useNonce(nonce, NONCE_TTL_MS + 2 * SKEW_MS)
  if (!isFirst) throw new AppError('invalid_nonce')
}
