// Provides the bundle of mediasoup-client that `npm --prefix examples/browser run build` makes, outside the tree.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, digestOf, provideFolder, run } from './cached-folder.mjs'

const EXAMPLE = fileURLToPath(new URL('../examples/browser/', import.meta.url))
const FILES = ['package.json', 'package-lock.json']

/** Resolves to the path of the bundle. */
export async function provideMediasoupClient({ withinMs }) {
  const deadline = Date.now() + withinMs
  const digest = digestOf(...FILES.map(name => fs.readFileSync(join(EXAMPLE, name), 'utf8')))
  const folder = join(cacheFolder(), `browser-example-${process.platform}-${process.arch}-${digest}`)
  await provideFolder(folder, {
    deadline,
    async install(draft) {
      for (const name of FILES) fs.copyFileSync(join(EXAMPLE, name), join(draft, name))
      await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: draft, deadline })
      await run('npm', ['run', 'build'], { cwd: draft, deadline })
    }
  })
  return join(folder, 'dist/mediasoup-client.js')
}
