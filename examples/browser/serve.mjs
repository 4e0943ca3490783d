// Serves this folder and prints links for a call between two users and for a room with three.
// `node examples/browser/serve.mjs [port]`.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of the SDK, which `npm run build` compiles. */
const sdk = process.env.SDK_FOLDER ?? fileURLToPath(new URL('../../packages/client/dist', import.meta.url))

const server = createServer(async ({ url }, response) => {
  const name = url === '/' ? 'index.html' : url.slice(1)
  const type = /^(dist\/|sdk\/)?[\w-]+\.\w+$/.test(name) ? TYPES[extname(name)] : undefined
  const path = name.startsWith('sdk/') ? join(sdk, name.slice('sdk/'.length)) : new URL(name, import.meta.url)
  const file = type && (await readFile(path).catch(() => undefined))
  if (file) response.setHeader('content-type', `${type}; charset=utf-8`).end(file)
  else response.writeHead(404).end()
})

const makeToken = async user => {
  const args = ['--import=tsx', 'scripts/token.ts', user]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  return stdout.trim()
}

server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', async () => {
  const origin = `http://127.0.0.1:${server.address().port}`
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(makeToken))
  console.log(`Start Signalpost with the origin of these pages: CORS_ORIGINS=${origin} npm start

A call between two users:

  alice  ${origin}/#token=${alice}
  bob    ${origin}/#token=${bob}

A room with three users:

  alice  ${origin}/room.html#room=standup&token=${alice}
  bob    ${origin}/room.html#room=standup&token=${bob}
  carol  ${origin}/room.html#room=standup&token=${carol}
`)
})
