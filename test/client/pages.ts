// Pages that use the SDK in a real browser, each with a camera. Their origin is another one than that of the servers.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { installClient } from '../helpers/built-client.js'

const HTML =
  '<!doctype html><title>SDK</title><link rel="icon" href="data:,"><body><script type="module" src="/page.js"></script>'

/** Resolves to the origin. It is closed after the test. */
export async function servePages(t: Test): Promise<string> {
  const { folder } = await installClient(t)
  const server = createServer(async ({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    if (pathname === '/') return response.setHeader('content-type', 'text/html; charset=utf-8').end(HTML)
    const text = await readFile(fileOf(pathname, join(folder, 'dist'))).catch(() => null)
    if (text === null) return response.writeHead(404).end()
    response.setHeader('content-type', 'text/javascript; charset=utf-8').end(text)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function fileOf(path: string, sdk: string): string {
  if (path === '/mediasoup-client.js') return process.env.MEDIASOUP_CLIENT ?? ''
  const name = path.slice(1)
  if (name.startsWith('client/')) return join(sdk, name.slice('client/'.length))
  return fileURLToPath(new URL(name, import.meta.url))
}
