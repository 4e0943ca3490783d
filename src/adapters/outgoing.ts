// Requests to outside services, all of them: bounded in time and in bytes, and never led elsewhere by a redirect.

export interface Question {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Covers the body too: a service that answers and then trickles is no better than one that is silent. */
  readonly timeoutMs: number
  /** Of the answer's body; 0 reads none of it. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  /** The body of a 200; that of any other answer is not read. */
  readonly text: string
}

/** @throws Error when there is no answer in time, or it is a redirect or larger than allowed */
export async function ask(url: string, question: Question): Promise<Answer> {
  const { method = 'GET', headers = {}, body = null, timeoutMs, maxBytes, signal } = question
  const timeout = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, {
    method,
    headers,
    body,
    redirect: 'error',
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  })
  const { status } = response
  if (status === 200 && maxBytes > 0) return { status, text: await readText(response, maxBytes) }
  await response.body?.cancel()
  return { status, text: '' }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop closes the connection.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`answered with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
