// Every request to an outside service: bounded in time and in bytes, and without redirects.

export interface OutgoingRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Until the whole body has arrived: a service may send the head of a reply and then stall. */
  readonly timeoutMs: number
  /** Of the reply's body. 0: the body is not read. */
  readonly maxBytes: number
  /** The bodies of all replies are read, not only that of a 200. */
  readonly readsAllBodies?: boolean
  readonly signal?: AbortSignal
}

export interface OutgoingReply {
  readonly status: number
  /** The body of a 200, or with `readsAllBodies` of any reply. Empty if the body is not read. */
  readonly text: string
}

/** @throws Error if no reply arrives in time, or if it is a redirect or larger than allowed */
export async function sendRequest(url: string, request: OutgoingRequest): Promise<OutgoingReply> {
  const { method = 'GET', headers = {}, body = null, timeoutMs, maxBytes, readsAllBodies = false, signal } = request
  const timeout = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, {
    method,
    headers,
    body,
    redirect: 'error',
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  })
  const { status } = response
  if ((status === 200 || readsAllBodies) && maxBytes > 0) return { status, text: await readText(response, maxBytes) }
  await response.body?.cancel()
  return { status, text: '' }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // An exception in the loop cancels the body, which closes the connection.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`replied with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
