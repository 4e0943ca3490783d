// The pages of this server: files that `npm run build` writes, served with a strict Content-Security-Policy.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Beside the compiled sources; the second one for `npm run dev`, which runs the sources. */
const PARENTS = ['..', '../../dist']

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
}

/** No inline script or style, nothing of another origin, and no text that becomes HTML. `blob:` is for pictures that the playground generates. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join('; ')

/** A page in a tab that opened another one must not reach it: the address of the page may have tokens behind its `#`. */
const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin'
}

interface File {
  readonly body: Buffer
  readonly type: string
  readonly etag: string
}

/** Returns the folder with the files of the page; null if it was not built. */
export function builtPage(name: string): string | null {
  const folders = PARENTS.map(parent => fileURLToPath(new URL(`${parent}/${name}`, import.meta.url)))
  return folders.find(folder => existsSync(`${folder}/index.html`)) ?? null
}

/** Serves `index.html` of the folder at `/`, and its other files below the name of the page. */
export function servePage(app: FastifyInstance, name: string, folder: string): void {
  for (const [fileName, file] of readFiles(folder)) {
    const path = fileName === 'index.html' ? '/' : `/${name}/${fileName}`
    app.get(path, { schema: { hide: true } }, (request, reply) => sendFile(request, reply, file))
  }
}

function sendFile({ headers }: FastifyRequest, reply: FastifyReply, { body, type, etag }: File): FastifyReply {
  reply.headers({ ...HEADERS, etag, 'cache-control': 'no-cache' })
  if (headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type(type).send(body)
}

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
