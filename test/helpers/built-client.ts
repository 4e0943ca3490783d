// packages/client as it is published.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

interface Builder {
  buildClient(folder: string): Promise<void>
}

const BUILD = new URL('../../scripts/build-client.mjs', import.meta.url)
const MANIFEST = fileURLToPath(new URL('../../packages/client/package.json', import.meta.url))

/** Resolves to a folder where programs can import `@signalpost/client`: that of the package is `folder`. It is removed after the test. */
export async function installClient(t: Test): Promise<{ root: string; folder: string }> {
  const root = mkdtempSync(join(tmpdir(), 'signalpost-client-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'node_modules/@signalpost/client')
  mkdirSync(folder, { recursive: true })
  copyFileSync(MANIFEST, join(folder, 'package.json'))
  const { buildClient } = (await import(BUILD.href)) as Builder
  await buildClient(join(folder, 'dist'))
  return { root, folder }
}
