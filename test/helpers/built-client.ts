// packages/client as it is published.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { buildOnce } from './build-once.js'

interface Builder {
  buildClient(folder: string): Promise<void>
}

const BUILD = new URL('../../scripts/build-client.mjs', import.meta.url)
const PACKAGE = fileURLToPath(new URL('../../packages/client', import.meta.url))

/** Resolves to a folder where programs can import `@signalpost/client`: that of the package is `folder`. It is removed after the test. */
export async function installClient(t: Test): Promise<{ root: string; folder: string }> {
  const root = mkdtempSync(join(tmpdir(), 'signalpost-client-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'node_modules/@signalpost/client')
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(PACKAGE, 'package.json'), join(folder, 'package.json'))
  const { buildClient } = (await import(BUILD.href)) as Builder
  await buildOnce(join(PACKAGE, 'dist'), buildClient)
  cpSync(join(PACKAGE, 'dist'), join(folder, 'dist'), { recursive: true })
  return { root, folder }
}
