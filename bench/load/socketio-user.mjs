// One user of a Socket.IO server: the few packets of the protocol over a plain WebSocket. It costs less CPU than the official
// client, so that the load generator slows down neither contender. https://socket.io/docs/v4/socket-io-protocol
import WebSocket from 'ws'

const PING = '2'
const PONG = '3'
const CONNECT = '40'
const EVENT = '42'
const ACK = '43'

export class SocketIoUser {
  #url
  #token
  #onEvent
  #socket
  #lastId = 0
  #waiting = new Map()

  constructor({ token, nodes, onEvent }) {
    this.#url = `ws://127.0.0.1:${nodes.stream}/socket.io/?EIO=4&transport=websocket`
    this.#token = token
    this.#onEvent = onEvent
  }

  /** Resolves when the server has verified the token. */
  open() {
    return new Promise((resolve, reject) => {
      this.#socket = new WebSocket(this.#url, { perMessageDeflate: false, skipUTF8Validation: true })
      this.#socket.on('open', () => this.#socket.send(`${CONNECT}${JSON.stringify({ token: this.#token })}`))
      this.#socket.on('error', reject)
      this.#socket.on('close', () => reject(new Error('socket closed')))
      this.#socket.on('message', bytes => this.#take(bytes.toString('latin1'), resolve))
    })
  }

  /** Sends with an acknowledgement; resolves to its status. */
  act(verb, callId, fields) {
    const id = ++this.#lastId
    this.#socket.send(packet(id, verb, callId, fields))
    return new Promise(resolve => this.#waiting.set(id, resolve))
  }

  /** Sends without an acknowledgement. */
  send(verb, callId, fields) {
    this.#socket.send(packet('', verb, callId, fields))
  }

  close() {
    this.#socket?.terminate()
  }

  #take(text, onConnected) {
    if (text.startsWith(EVENT)) {
      const start = text.indexOf('[')
      const end = text.indexOf('"', start + 2)
      this.#onEvent(text.slice(start + 2, end), text.slice(end + 2, -1))
      // The server asks for an acknowledgement by a number before the event.
      if (start > EVENT.length) this.#socket.send(`${ACK}${text.slice(EVENT.length, start)}[]`)
    } else if (text.startsWith(ACK)) {
      const start = text.indexOf('[')
      const id = Number(text.slice(2, start))
      const settle = this.#waiting.get(id)
      this.#waiting.delete(id)
      settle({ status: JSON.parse(text.slice(start))[0].status, body: '{}' })
    } else if (text === PING) {
      this.#socket.send(PONG)
    } else if (text.startsWith(CONNECT)) {
      onConnected()
    }
  }
}

function packet(id, verb, callId, fields) {
  return `${EVENT}${id}["${verb}",{"callId":"${callId}"${fields ? `,${fields}` : ''}}]`
}
