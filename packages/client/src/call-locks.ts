// Which tab is in a call: it holds a lock with the id of the call, where the browser has Web Locks. A page that is reloaded or crashes loses it.
const PREFIX = 'signalpost.call '

export function holdCall(callId: string, ended: Promise<unknown>): void {
  globalThis.navigator?.locks?.request(PREFIX + callId, () => ended)
}

/** The ids of the calls that tabs of this origin are in. */
export async function heldCalls(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await globalThis.navigator?.locks?.query()) ?? {}
  return new Set(held.map(({ name = '' }) => name.slice(PREFIX.length)))
}
