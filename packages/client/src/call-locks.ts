// Which tab is in a call: it holds a lock of the call and its side, where the browser has Web Locks. A page that is reloaded or crashes loses
// it. One origin may have both sides, of two users.
const PREFIX = 'signalpost.call '

export type Direction = 'incoming' | 'outgoing'

export const lockOf = (callId: string, direction: Direction): string => `${PREFIX}${callId} ${direction}`

export function holdCall(lock: string, ended: Promise<unknown>): void {
  globalThis.navigator?.locks?.request(lock, () => ended)
}

/** The locks that tabs of this origin hold. */
export async function heldLocks(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await globalThis.navigator?.locks?.query()) ?? {}
  return new Set(held.map(({ name = '' }) => name))
}
