// Server-Sent Events as the HTML standard parses them (section 9.2.6). The text may arrive in pieces of any size.

export interface SseMessage {
  readonly type: string
  readonly data: string
  /** Of this message; null: it has none, and the last event id stays what it was. */
  readonly id: string | null
}

export class SseParser {
  /** The last `retry:` of the server; null: none yet. */
  retryMs: number | null = null
  #line = ''
  /** A line feed that follows a carriage return ends no line. */
  #isAfterReturn = false
  #type = ''
  #data: string[] = []
  #id: string | null = null

  /** Returns the messages that are complete now. */
  push(text: string): SseMessage[] {
    const messages: SseMessage[] = []
    for (const part of text.split(/(\r\n|\r|\n)/)) {
      if (!/^[\r\n]/.test(part)) {
        if (part !== '') this.#isAfterReturn = false
        this.#line += part
      } else if (part === '\n' && this.#isAfterReturn) {
        this.#isAfterReturn = false
      } else {
        this.#isAfterReturn = part === '\r'
        const message = this.#endLine()
        if (message) messages.push(message)
      }
    }
    return messages
  }

  #endLine(): SseMessage | null {
    const line = this.#line
    this.#line = ''
    if (line === '') return this.#endMessage()
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') this.#type = value
    if (name === 'data') this.#data.push(value)
    if (name === 'id' && !value.includes('\0')) this.#id = value
    if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
    return null
  }

  #endMessage(): SseMessage | null {
    const message = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id }
    const isEmpty = this.#data.length === 0
    this.#type = ''
    this.#data = []
    this.#id = null
    return isEmpty ? null : message
  }
}
