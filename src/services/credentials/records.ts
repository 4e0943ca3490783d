// The credentials of devices: read, decide, write if nothing has changed meanwhile.
import { type CredentialState, expiryOf } from '../../domain/credential/credential.js'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../schemas/common.js'
import type { Context } from '../context.js'

export const parseCredential = (text: string): CredentialState => JSON.parse(text) as CredentialState

export interface StoredCredential {
  /** As it is stored, which names it in a change. */
  readonly text: string
  readonly state: CredentialState
}

export async function readCredential({ store, clock }: Context, owner: Endpoint): Promise<StoredCredential | null> {
  const text = await store.deviceCredentials.get(owner, clock.now())
  return text === null ? null : { text, state: parseCredential(text) }
}

/** @returns false: another one stands than `before`. @throws AppError too_many_credentials */
export async function writeCredential(
  { store, clock, config }: Context,
  owner: Endpoint,
  { before, next }: { readonly before: StoredCredential | null; readonly next: CredentialState }
): Promise<boolean> {
  const change = { expected: before?.text ?? null, next: JSON.stringify(next), expiresAt: expiryOf(next) }
  const options = { now: clock.now(), max: config.maxDeviceCredentials }
  const result = await store.deviceCredentials.replace(owner, change, options)
  if (result === 'full') throw new AppError('too_many_credentials')
  return result === 'written'
}

type Decide<State extends CredentialState | null> = (state: CredentialState | null, now: number) => State

/** Decides again until the change is written. Null: nothing is to be changed. @throws AppError too_many_credentials */
export async function changeCredential<State extends CredentialState | null>(
  context: Context,
  owner: Endpoint,
  decide: Decide<State>
): Promise<State> {
  for (;;) {
    const before = await readCredential(context, owner)
    const next = decide(before?.state ?? null, context.clock.now())
    if (next === null || next === before?.state || (await writeCredential(context, owner, { before, next })))
      return next
  }
}
