// One user of an HTTP signaling server, on raw sockets, which cost little CPU: a Server-Sent Events stream on one node, and a
// keep-alive connection for POSTs on the same node or another one, with one request at a time as HTTP/1.1 requires.
import { connect } from 'node:net'

const HOST = '127.0.0.1'
const OPEN_LIMIT_MS = 60_000

/** Calls `onEvent` with type, data and id of each event. The body is chunked, or ends with the connection. */
function createEventParser(onEvent) {
  let raw = ''
  let text = ''
  let headersDone = false
  let chunked = false

  function takeHeaders() {
    const end = raw.indexOf('\r\n\r\n')
    if (end < 0) return false
    if (!raw.startsWith('HTTP/1.1 200')) throw new Error(`stream refused: ${raw.slice(0, end)}`)
    chunked = /\r\ntransfer-encoding: *chunked/i.test(raw.slice(0, end))
    raw = raw.slice(end + 4)
    headersDone = true
    return true
  }

  function takeChunks() {
    let at = 0
    for (;;) {
      const lineEnd = raw.indexOf('\r\n', at)
      if (lineEnd < 0) break
      const size = Number.parseInt(raw.slice(at, lineEnd), 16)
      const next = lineEnd + 2 + size + 2
      if (raw.length < next) break
      text += raw.slice(lineEnd + 2, lineEnd + 2 + size)
      at = next
    }
    if (at > 0) raw = raw.slice(at)
  }

  function takeAll() {
    text += raw
    raw = ''
  }

  function takeFrames() {
    let at = 0
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', at)) {
      takeFrame(text.slice(at, end))
      at = end + 2
    }
    if (at > 0) text = text.slice(at)
  }

  function takeFrame(frame) {
    let type = 'message'
    let data = ''
    let id
    for (const line of frame.split('\n')) {
      if (line.startsWith('event: ')) type = line.slice(7)
      else if (line.startsWith('data: ')) data = line.slice(6)
      else if (line.startsWith('id: ')) id = line.slice(4)
    }
    if (data) onEvent(type, data, id)
  }

  return chunk => {
    raw += chunk
    if (!headersDone && !takeHeaders()) return
    if (chunked) takeChunks()
    else takeAll()
    takeFrames()
  }
}

/** Calls `onReply` with status and body of each reply, in order. All replies have a Content-Length. */
function createReplyParser(onReply) {
  let raw = ''
  return chunk => {
    raw += chunk
    for (;;) {
      const headerEnd = raw.indexOf('\r\n\r\n')
      if (headerEnd < 0) return
      const head = raw.slice(0, headerEnd)
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)
      const bodyEnd = headerEnd + 4 + Number(length?.[1] ?? 0)
      if (raw.length < bodyEnd) return
      onReply(Number(head.slice(9, 12)), raw.slice(headerEnd + 4, bodyEnd))
      raw = raw.slice(bodyEnd)
    }
  }
}

export class HttpUser {
  #headers
  #streamPort
  #postPort
  #onEvent
  #stream
  #cursor
  #posts
  #queue = []
  #inFlight = null

  /** `nodes` is the port of the stream's node and the port of the node that takes the POSTs. */
  constructor({ name, token, nodes, onEvent }) {
    this.#streamPort = nodes.stream
    this.#postPort = nodes.post
    this.#onEvent = onEvent
    // The headers of a browser's fetch, without client hints.
    this.#headers =
      `Host: ${HOST}\r\nConnection: keep-alive\r\nAuthorization: Bearer ${token}\r\nX-Device-Id: ${name}\r\n` +
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n' +
      'Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n'
  }

  /** Resolves when the stream is live: at its first event. */
  open() {
    return this.#openStream('', () => true)
  }

  /** Opens the stream again on another node, after the last event. Resolves to `caught-up`, `reset` or `hello` when it is live. */
  resume(port) {
    this.#streamPort = port
    const header = this.#cursor === undefined ? '' : `Last-Event-ID: ${this.#cursor}\r\n`
    return this.#openStream(header, type => type === 'caught-up' || type === 'reset' || type === 'hello')
  }

  /** Resolves to the type of the first event for which `isLive` returns true. */
  #openStream(header, isLive) {
    return new Promise((resolve, reject) => {
      const parse = createEventParser((type, data, id) => {
        if (id !== undefined) this.#cursor = id
        if (isLive(type)) resolve(type)
        this.#onEvent(type, data)
      })
      const stream = connect({ port: this.#streamPort, host: HOST, noDelay: true })
      stream.setEncoding('latin1')
      const timer = setTimeout(
        () => reject(new Error(`a stream is not live within ${OPEN_LIMIT_MS} ms`)),
        OPEN_LIMIT_MS
      )
      timer.unref()
      stream.on('data', parse)
      stream.on('error', reject)
      stream.on('close', () => reject(new Error('stream closed')))
      stream.write(`GET /v1/events HTTP/1.1\r\n${this.#headers}${header}Accept: text/event-stream\r\n\r\n`)
      this.#stream = stream
    })
  }

  /** `fields` are the members of a JSON object, as text. Resolves to the reply's status and body. */
  act(verb, callId, fields) {
    const create = verb === 'create'
    const path = create ? '/v1/calls' : `/v1/calls/${callId}/${verb}`
    return this.post(path, create ? `{"callId":"${callId}",${fields}}` : fields ? `{${fields}}` : '')
  }

  post(path, body) {
    return this.send('POST', path, body)
  }

  /** `body` is JSON, or '' for none. Resolves to the reply's status and body. */
  send(method, path, body) {
    const typed = body
      ? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
      : 'Content-Length: 0'
    const request = `${method} ${path} HTTP/1.1\r\n${this.#headers}Accept: application/json\r\n${typed}\r\n\r\n${body}`
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject })
      this.#next()
    })
  }

  close() {
    this.#stream?.destroy()
    this.#posts?.destroy()
  }

  #next() {
    if (this.#inFlight || this.#queue.length === 0) return
    if (!this.#posts || this.#posts.destroyed) this.#connectPosts()
    this.#inFlight = this.#queue.shift()
    this.#posts.write(this.#inFlight.request)
  }

  #connectPosts() {
    const socket = connect({ port: this.#postPort, host: HOST, noDelay: true })
    socket.setEncoding('latin1')
    socket.on(
      'data',
      createReplyParser((status, body) => {
        const { resolve } = this.#inFlight
        this.#inFlight = null
        resolve({ status, body })
        this.#next()
      })
    )
    const fail = () => {
      socket.destroy()
      this.#inFlight?.reject(new Error('connection lost'))
      this.#inFlight = null
    }
    socket.on('error', fail)
    socket.on('close', fail)
    this.#posts = socket
  }
}
