// Provides puppeteer-core, which drives Firefox in `npm run test:sfu`, outside the tree. playwright-core, which drives Chromium, sends Debian's
// Firefox a command that it does not know (emulation.setMediaFeaturesOverride).
import * as fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, digestOf, provideFolder, run } from './cached-folder.mjs'

const DRIVER = fileURLToPath(new URL('../test/sfu/firefox/', import.meta.url))
const FILES = ['package.json', 'package-lock.json']

/** Resolves to the path of the module. */
export async function provideFirefoxDriver({ withinMs }) {
  const deadline = Date.now() + withinMs
  const folder = join(
    cacheFolder(),
    `firefox-driver-${digestOf(...FILES.map(name => fs.readFileSync(join(DRIVER, name), 'utf8')))}`
  )
  await provideFolder(folder, {
    deadline,
    async install(draft) {
      for (const name of FILES) fs.copyFileSync(join(DRIVER, name), join(draft, name))
      await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: draft, deadline })
    }
  })
  return join(folder, 'node_modules/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js')
}
