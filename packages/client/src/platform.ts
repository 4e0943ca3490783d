// What differs between browsers, Node and React Native.

/** A random text of 32 digits. `crypto.randomUUID` is missing on pages without TLS, and all of `crypto` in React Native. */
export function randomId(): string {
  const bytes = new Uint8Array(16).map(() => Math.random() * 256)
  globalThis.crypto?.getRandomValues(bytes)
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

export const isOffline = () => globalThis.navigator?.onLine === false

/** React Native's `fetch` gives no body to read. */
export const canStream = () => 'body' in Response.prototype

/** Listens until `until` is aborted: to the window, or another target, where there is one. */
// biome-ignore lint/complexity/useMaxParams: as addEventListener.
export function listen(
  type: string,
  listener: () => void,
  until?: AbortController,
  target: EventTarget = globalThis as unknown as EventTarget
): void {
  // Its member `signal` is all that an option of addEventListener needs.
  target.addEventListener?.(type, listener, until)
}

/** Calls back when a timer was late by more than this, as after the machine has slept. */
export function onLateTimer(ms: number, listener: () => void, until: AbortController): void {
  let last = Date.now()
  const timer = setInterval(() => {
    const isLate = Date.now() - last > 2 * ms
    last = Date.now()
    if (isLate) listener()
  }, ms)
  until.signal.addEventListener('abort', () => clearInterval(timer))
}

/** Resolves after this time, when the network comes back, or when the signal is aborted. */
export function onlineOrAfter(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const over = new AbortController()
    const end = () => {
      clearTimeout(timer)
      over.abort()
      resolve()
    }
    const timer = setTimeout(end, signal?.aborted ? 0 : ms)
    listen('online', end, over)
    signal?.addEventListener('abort', end, over)
  })
}

/** A random id that the browser keeps, for all tabs or for this one. Elsewhere it is new each time. */
export function deviceId(isShared: boolean): string {
  const key = 'signalpost.device'
  try {
    const storage = isShared ? localStorage : sessionStorage
    const id = storage.getItem(key) ?? randomId()
    storage.setItem(key, id)
    return id
  } catch {
    // There is no storage, or the page may not use it.
    return randomId()
  }
}
