// Server-Sent Events as the HTML standard parses them (section 9.2.6), but for the field `event`: the data has the type. The text may arrive in
// pieces of any size.

export interface SseMessage {
  readonly data: string
  /** Of this message; null: it has none, and the last event id stays what it was. */
  readonly id: string | null
}

export class SseParser {
  /** The last `retry:` of the server; null: none yet. */
  retryMs: number | null = null
  /** The line that has not ended. */
  #line = ''
  #isAfterReturn = false
  #data: string[] = []
  #id: string | null = null

  /** Returns the messages that are complete now. */
  push(text: string): SseMessage[] {
    // A line feed that follows a carriage return ends no line.
    const lines = (this.#line + (this.#isAfterReturn ? text.replace(/^\n/, '') : text)).split(/\r\n|\r|\n/)
    if (text) this.#isAfterReturn = text.endsWith('\r')
    this.#line = lines.pop() ?? ''
    return lines.flatMap(line => (line ? this.#read(line) : this.#endMessage()))
  }

  #read(line: string): [] {
    const [, name, value = ''] = /^([^:]*):? ?(.*)/s.exec(line) ?? []
    if (name === 'data') this.#data.push(value)
    if (name === 'id' && !value.includes('\0')) this.#id = value
    if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
    return []
  }

  #endMessage(): SseMessage[] {
    const message = { data: this.#data.join('\n'), id: this.#id }
    const isEmpty = this.#data.length === 0
    this.#data = []
    this.#id = null
    return isEmpty ? [] : [message]
  }
}
