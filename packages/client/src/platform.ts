// What differs between browsers, Node and React Native.

/** A random text of 32 digits. `crypto.randomUUID` is missing on pages without TLS, and all of `crypto` in React Native. */
export function randomId(): string {
  const bytes = new Uint8Array(16)
  if (globalThis.crypto) crypto.getRandomValues(bytes)
  else for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** The window, where there is one: elsewhere nothing listens. */
export const globalTarget = globalThis as unknown as EventTarget

export const isOffline = () => globalThis.navigator?.onLine === false

/** Listens to an event of the window or document, where there is one. Returns the function that removes the listener. */
export function listen(target: EventTarget | undefined, type: string, listener: () => void): () => void {
  target?.addEventListener?.(type, listener)
  return () => target?.removeEventListener?.(type, listener)
}

/** Calls back when a timer was late by more than this, as after the machine has slept. Returns the function that ends that. */
export function onLateTimer(ms: number, listener: () => void): () => void {
  let last = Date.now()
  const timer = setInterval(() => {
    const isLate = Date.now() - last > 2 * ms
    last = Date.now()
    if (isLate) listener()
  }, ms)
  return () => clearInterval(timer)
}

/** Resolves after this time, when the network comes back, or when the signal is aborted. */
export function onlineOrAfter(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer)
      for (const off of offs) off()
      resolve()
    }
    const timer = setTimeout(end, signal?.aborted ? 0 : ms)
    const offs = [listen(globalTarget, 'online', end), listen(signal, 'abort', end)]
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
