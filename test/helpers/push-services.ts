// Push services on this machine, which check what the gateway sends as the real ones do: Web Push (RFC 8030, 8188, 8291, 8292), APNs and FCM.
import {
  createDecipheriv,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID
} from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { jwtVerify } from 'jose'
import webPush from 'web-push'
import { type Certificate, createCertificate } from './certificate.js'
import { createWebPushSubscription } from './push.js'

/** What a device received. */
export interface Received {
  readonly data: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, unknown>>
}

/** How the service answers the next messages: each is used once. */
export interface Answer {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

abstract class PushService {
  readonly received: Received[] = []
  readonly answers: Answer[] = []
  /** Faults of requests: what the real service would refuse. */
  readonly faults: string[] = []
  connections = 0
  #sockets = new Set<Duplex>()

  protected count(socket: Duplex): void {
    this.connections++
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  protected answer(
    reply: { writeHead(status: number, headers?: object): { end(text: string): unknown } },
    success: Answer
  ) {
    const { status, body, headers } = this.answers.shift() ?? success
    reply.writeHead(status, headers ?? {}).end(body === undefined ? '' : JSON.stringify(body))
    return status
  }

  protected destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

type WebPushKeys = ReturnType<typeof createWebPushSubscription>

export class TestWebPushService extends PushService {
  readonly vapid = { ...webPush.generateVAPIDKeys(), subject: 'mailto:ops@example.com' }
  readonly #server: Server
  readonly #subscriptions = new Map<string, WebPushKeys>()

  private constructor(certificate: Certificate) {
    super()
    this.#server = createServer({ key: certificate.key, cert: certificate.cert }, (request, reply) => {
      this.#receive(request, reply).catch(error => this.faults.push(String(error)))
    })
    this.#server.on('connection', socket => this.count(socket))
  }

  static async start(certificate: Certificate): Promise<TestWebPushService> {
    const service = new TestWebPushService(certificate)
    await once(service.#server.listen(0, '127.0.0.1'), 'listening')
    return service
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  /** A browser's subscription, as `PushSubscription.toJSON()` makes it, with `type`. */
  subscribe(): WebPushKeys['subscription'] {
    const path = `/push/${randomUUID()}`
    const created = createWebPushSubscription(`${this.url}${path}`)
    this.#subscriptions.set(path, created)
    return created.subscription
  }

  unsubscribe({ endpoint }: { readonly endpoint: string }): void {
    this.#subscriptions.delete(new URL(endpoint).pathname)
  }

  async #receive(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const keys = this.#subscriptions.get(request.url ?? '')
    if (keys === undefined) return void reply.writeHead(410).end()
    await this.#checkHeaders(request.headers)
    const { headers } = request
    if (this.answer(reply, { status: 201 }) === 201)
      this.received.push({ data: JSON.parse(decrypt(Buffer.concat(chunks), keys)), headers: { ...headers } })
  }

  async #checkHeaders({ authorization = '', ttl, topic, urgency, 'content-encoding': encoding }: IncomingHttpHeaders) {
    const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? []
    const { payload } = await jwtVerify(token, toPublicKey(key), { audience: this.url, subject: this.vapid.subject })
    // RFC 8292, section 2: at most 24 hours.
    if ((payload.exp ?? Infinity) > Date.now() / 1000 + 86_400) this.faults.push('the token lasts too long')
    if (key !== this.vapid.publicKey) this.faults.push('another VAPID key')
    if (!/^\d+$/.test(String(ttl)) || Number(ttl) < 1) this.faults.push(`TTL ${ttl}`)
    if (!/^[\w-]{1,32}$/.test(String(topic))) this.faults.push(`Topic ${topic}`)
    if (urgency !== 'high' || encoding !== 'aes128gcm') this.faults.push(`Urgency ${urgency}, ${encoding}`)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.destroyAll()
    await once(this.#server, 'close')
  }
}

const hmac = (key: Buffer, ...parts: readonly (string | Buffer)[]) => {
  const made = createHmac('sha256', key)
  for (const part of parts) made.update(part)
  return made.digest()
}

/** RFC 8188, section 2, with the key of RFC 8291, section 3.4. One record. */
function decrypt(body: Buffer, { ecdh, publicKey, auth }: WebPushKeys): string {
  const salt = body.subarray(0, 16)
  const keyEnd = 21 + body.readUInt8(20)
  const serverKey = body.subarray(21, keyEnd)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), publicKey, serverKey])
  const keyMaterial = hmac(hmac(auth, ecdh.computeSecret(serverKey)), info, '\x01')
  const secret = hmac(salt, keyMaterial)
  const key = hmac(secret, 'Content-Encoding: aes128gcm\0\x01').subarray(0, 16)
  const nonce = hmac(secret, 'Content-Encoding: nonce\0\x01').subarray(0, 12)
  const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(body.subarray(-16))
  const padded = Buffer.concat([decipher.update(body.subarray(keyEnd, -16)), decipher.final()])
  // The last record ends with 0x02 and zeros.
  return padded.subarray(0, padded.lastIndexOf(2)).toString()
}

/** An uncompressed point on P-256. */
function toPublicKey(base64url: string): KeyObject {
  const point = Buffer.from(base64url, 'base64url')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(part => part.toString('base64url'))
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' })
}

/** A server of HTTP/2 only. */
abstract class Http2PushService extends PushService {
  readonly #server

  constructor({ key, cert }: Certificate) {
    super()
    this.#server = createSecureServer({ key, cert }, (request, reply) => {
      this.receive(request, reply).catch(error => {
        this.faults.push(String(error))
        reply.writeHead(400).end()
      })
    })
    this.#server.on('secureConnection', socket => this.count(socket))
  }

  protected abstract receive(request: Http2ServerRequest, reply: Http2ServerResponse): Promise<unknown>

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  /** Ends all connections, as a push service does now and then. */
  disconnect(): void {
    this.destroyAll()
  }

  async close(): Promise<void> {
    this.#server.close()
    this.destroyAll()
    await once(this.#server, 'close')
  }
}

export class TestApns extends Http2PushService {
  readonly keyId = 'ABC123DEFG'
  readonly teamId = 'DEF123GHIJ'
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  /** The provider tokens of the requests. */
  readonly tokens = new Set<string>()

  /** The .p8 file. */
  get key(): string {
    return this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }

  protected async receive(request: Http2ServerRequest, reply: Http2ServerResponse): Promise<void> {
    const { headers, method, url } = request
    const data = JSON.parse(await text(request))
    const [, token = ''] = /^bearer (.+)$/.exec(headers.authorization ?? '') ?? []
    const { protectedHeader, payload } = await jwtVerify(token, this.#keys.publicKey, { issuer: this.teamId })
    this.tokens.add(token)
    if (protectedHeader.alg !== 'ES256' || protectedHeader.kid !== this.keyId) this.faults.push('the token')
    if (Math.abs((payload.iat ?? 0) - Date.now() / 1000) > 3600) this.faults.push('iat')
    if (method !== 'POST' || !/^\/3\/device\/[0-9a-f]+$/.test(url)) this.faults.push(`${method} ${url}`)
    if (headers['apns-push-type'] !== 'voip' || headers['apns-priority'] !== '10') this.faults.push('push type')
    if (Buffer.byteLength(String(headers['apns-collapse-id'])) > 64) this.faults.push('apns-collapse-id')
    if (this.answer(reply, { status: 200 }) === 200) this.received.push({ data, headers: { ...headers, ':path': url } })
  }
}

export class TestFcm extends Http2PushService {
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  /** Access tokens that were issued. */
  readonly issued: string[] = []

  /** The JSON file of the service account. */
  get account() {
    return {
      type: 'service_account',
      project_id: 'my-project',
      client_email: 'push@my-project.iam.gserviceaccount.com',
      private_key: this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      token_uri: `${this.url}/token`
    }
  }

  protected async receive(request: Http2ServerRequest, reply: Http2ServerResponse): Promise<unknown> {
    const body = await text(request)
    if (request.url === '/token') return this.#issueToken(new URLSearchParams(body), reply)
    const { authorization } = request.headers
    if (authorization !== `Bearer ${this.issued.at(-1)}`) return reply.writeHead(401).end()
    const { message } = JSON.parse(body)
    const { token, data, android } = message
    if (request.url !== '/v1/projects/my-project/messages:send') this.faults.push(request.url)
    if (android.priority !== 'high' || !/^\d+s$/.test(android.ttl)) this.faults.push(JSON.stringify(android))
    for (const [name, value] of Object.entries(data))
      if (typeof value !== 'string' || name === 'from' || name.startsWith('google')) this.faults.push(name)
    if (this.answer(reply, { status: 200, body: { name: 'projects/my-project/messages/1' } }) === 200)
      this.received.push({ data, headers: { token, ttl: android.ttl } })
    return undefined
  }

  async #issueToken(form: URLSearchParams, reply: Http2ServerResponse): Promise<void> {
    const { client_email: issuer, token_uri: audience } = this.account
    const { payload } = await jwtVerify(form.get('assertion') ?? '', this.#keys.publicKey, { issuer, audience })
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') this.faults.push('grant_type')
    if (payload.scope !== 'https://www.googleapis.com/auth/firebase.messaging') this.faults.push('scope')
    const accessToken = `access-${this.issued.push(randomUUID())}`
    this.issued[this.issued.length - 1] = accessToken
    reply.writeHead(200).end(JSON.stringify({ access_token: accessToken, expires_in: 3599, token_type: 'Bearer' }))
  }
}

export interface PushServices {
  readonly certificate: Certificate
  readonly webPush: TestWebPushService
  readonly apns: TestApns
  readonly fcm: TestFcm
  close(): Promise<void>
}

export async function startPushServices(): Promise<PushServices> {
  const certificate = createCertificate()
  const services = {
    webPush: await TestWebPushService.start(certificate),
    apns: await new TestApns(certificate).listen(),
    fcm: await new TestFcm(certificate).listen()
  }
  return {
    ...services,
    certificate,
    close: async () => void (await Promise.all(Object.values(services).map(each => each.close())))
  }
}
