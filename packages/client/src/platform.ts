// What differs between browsers, Node and React Native.

/** A random text of 32 digits. `crypto.randomUUID` is missing on pages without TLS, and all of `crypto` in React Native. */
export function randomId(): string {
  const bytes = new Uint8Array(16)
  if (globalThis.crypto) crypto.getRandomValues(bytes)
  else for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

export const isOffline = () => globalThis.navigator?.onLine === false

/** Listens to an event of the window or document, where there is one. Returns the function that removes the listener. */
export function listen(target: EventTarget | undefined, type: string, listener: (event: Event) => void): () => void {
  target?.addEventListener?.(type, listener)
  return () => target?.removeEventListener?.(type, listener)
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
    const offs = [listen(globalThis as unknown as EventTarget, 'online', end), listen(signal, 'abort', end)]
  })
}
