// A TCP proxy between a client and its server. It counts what passes, and can delay it as a network with a round-trip time does.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const REQUEST_LINE = /(?:^|[\s\S])(?:GET|POST|PUT|PATCH|DELETE|OPTIONS) \S+ HTTP\/1\.1\r\n/g
const MQTT_CONNECT = 0x10

export async function startCountingProxy(port, { rttMs }) {
  const counts = { connections: 0, sent: 0, received: 0 }
  const links = []
  const server = createServer({ noDelay: true, allowHalfOpen: true }, client => {
    counts.connections++
    const node = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const link = { client, node, written: [] }
    links.push(link)
    const toNode = delayed(node, rttMs / 2)
    const toClient = delayed(client, rttMs / 2)
    // The handshake of TCP takes one round trip before the first byte.
    toNode.hold(rttMs)
    client.on('data', bytes => {
      counts.sent += bytes.length
      link.written.push(bytes)
      toNode.write(bytes)
    })
    node.on('data', bytes => {
      counts.received += bytes.length
      toClient.write(bytes)
    })
    client.on('end', () => toNode.end()).on('error', () => node.destroy())
    node.on('end', () => toClient.end()).on('error', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    /** `messages`: HTTP requests, WebSocket frames and MQTT packets that the client sent. */
    counts: () => ({
      ...counts,
      messages: links.reduce((sum, { written }) => sum + messagesIn(Buffer.concat(written)), 0)
    }),
    stop() {
      server.close()
      for (const { client, node } of links) {
        client.destroy()
        node.destroy()
      }
    }
  }
}

/** Writes to the socket in order, each piece `ms` after it came. */
function delayed(socket, ms) {
  const queue = []
  let dueAt = 0
  const push = act => {
    if (ms === 0) return act()
    dueAt = Math.max(dueAt, performance.now() + ms)
    queue.push(act)
    // Timers may fire in another order: each does what is next.
    setTimeout(() => queue.shift()(), dueAt - performance.now())
  }
  return {
    hold: more => {
      dueAt = performance.now() + ms + more
    },
    write: bytes => push(() => socket.writable && socket.write(bytes)),
    end: () => push(() => socket.end())
  }
}

function messagesIn(bytes) {
  if (bytes.length === 0) return 0
  if (bytes[0] === MQTT_CONNECT) return count(bytes, mqttPacketSize)
  const text = bytes.toString('latin1')
  const requests = text.match(REQUEST_LINE)?.length ?? 0
  if (!/\r\nupgrade: *websocket\r\n/i.test(text)) return requests
  return requests + count(bytes.subarray(text.indexOf('\r\n\r\n') + 4), frameSize)
}

function count(bytes, sizeOf) {
  let messages = 0
  for (let at = 0; at < bytes.length; at += sizeOf(bytes, at)) messages++
  return messages
}

/** MQTT 3.1.1, section 2.2.3. */
function mqttPacketSize(bytes, start) {
  let length = 0
  let at = start + 1
  for (let shift = 0; ; shift += 7) {
    length |= (bytes[at] & 0x7f) << shift
    if ((bytes[at++] & 0x80) === 0) return at - start + length
  }
}

/** RFC 6455, section 5.2, with the mask that clients send. */
function frameSize(bytes, start) {
  const length = bytes[start + 1] & 0x7f
  if (length < 126) return 6 + length
  return length === 126 ? 8 + bytes.readUInt16BE(start + 2) : 14 + Number(bytes.readBigUInt64BE(start + 2))
}
