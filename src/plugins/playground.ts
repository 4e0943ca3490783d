// The playground: a page at / that makes calls and joins rooms on this server. `npm run build` writes its files.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Config } from '../config.js'
import { createToken } from '../development.js'
import { RoomClaims } from '../schemas/claims.js'
import { DeviceId, Strict, UserId } from '../schemas/common.js'

/** Beside the compiled sources; the second one for `npm run dev`, which runs the sources. */
const FOLDERS = ['../playground', '../../dist/playground'].map(path => fileURLToPath(new URL(path, import.meta.url)))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}

/** No inline script or style, and nothing of another origin. `blob:` is for pictures that the page generates. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** A page in a tab that opened another one must not reach it: the address of the page may have tokens behind its `#`. */
const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin'
}

/** In bytes. A token with more rooms does not fit into the headers of a request. */
const TOKEN_REQUEST_LIMIT = 8192

const TOKEN_REQUEST = Type.Object(
  { user: UserId(), device: Type.Optional(DeviceId()), rooms: Type.Optional(RoomClaims) },
  Strict
)

interface TokenRequest {
  readonly user: string
  readonly device?: string
  readonly rooms?: RoomClaims
}

interface File {
  readonly body: Buffer
  readonly type: string
  readonly etag: string
}

/** Whether this server serves the page: by the setting, and if it was built. */
export function servesPlayground({ playground, development }: Config, folder = builtFolder()): boolean {
  return folder !== null && (playground === 'on' || (playground === 'auto' && development))
}

/** Call it if `servesPlayground`. In development mode the page gets tokens, for any user: there the secret is public anyway. */
export function servePlayground(app: FastifyInstance, config: Config, folder = builtFolder()): void {
  const files = folder === null ? new Map<string, File>() : readFiles(folder)
  for (const [name, file] of files) {
    const path = name === 'index.html' ? '/' : `/playground/${name}`
    app.get(path, { schema: { hide: true } }, (request, reply) => sendFile(request, reply, file))
  }
  const settings = { mintsTokens: config.development, hasSfu: config.mediaServiceUrls.length > 0 }
  app.get('/playground/settings', { schema: { hide: true } }, (_request, reply) =>
    reply.header('cache-control', 'no-store').send(settings)
  )
  if (config.development) mintTokens(app, config)
}

function mintTokens(app: FastifyInstance, config: Config): void {
  const options = { schema: { hide: true, body: TOKEN_REQUEST }, bodyLimit: TOKEN_REQUEST_LIMIT }
  app.post('/playground/tokens', options, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return { token: await createToken(config, request.body as TokenRequest) }
  })
}

function sendFile({ headers }: FastifyRequest, reply: FastifyReply, { body, type, etag }: File): FastifyReply {
  reply.headers({ ...PAGE_HEADERS, etag, 'cache-control': 'no-cache' })
  if (headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type(type).send(body)
}

const builtFolder = () => FOLDERS.find(folder => existsSync(`${folder}/index.html`)) ?? null

function readFiles(folder: string): Map<string, File> {
  const names = readdirSync(folder).filter(name => TYPES[extname(name)] !== undefined)
  return new Map(
    names.map(name => {
      const body = readFileSync(`${folder}/${name}`)
      const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
      return [name, { body, etag, type: TYPES[extname(name)] ?? '' }]
    })
  )
}
