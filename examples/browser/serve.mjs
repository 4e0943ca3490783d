// Serves this folder and prints a link for alice and one for bob: `node examples/browser/serve.mjs [port]`.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
const root = fileURLToPath(new URL('../..', import.meta.url))

const server = createServer(async ({ url }, response) => {
  const name = url === '/' ? 'index.html' : url.slice(1)
  const type = /^\w+\.\w+$/.test(name) ? TYPES[extname(name)] : undefined
  const file = type && (await readFile(new URL(name, import.meta.url)).catch(() => undefined))
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
  const [alice, bob] = await Promise.all(['alice', 'bob'].map(makeToken))
  console.log(`Signalpost has to know this page: CORS_ORIGINS=${origin} npm start

  alice  ${origin}/#token=${alice}
  bob    ${origin}/#token=${bob}
`)
})
