// Bundles packages/playground, with the SDK, into dist/playground, which the server serves.
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Without it the page has no rooms in mode sfu: `npm --prefix examples/browser ci && npm --prefix examples/browser run build` */
const MEDIASOUP_CLIENT = process.env.MEDIASOUP_CLIENT ?? join(root, 'examples/browser/dist/mediasoup-client.js')

export async function buildPlayground(folder) {
  const page = join(root, 'packages/playground/page')
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: { main: join(root, 'packages/playground/src/main.ts') },
    outdir: folder,
    bundle: true,
    minify: true,
    // Rooms in mode sfu load their part on first need.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning'
  })
  for (const name of readdirSync(page)) copyFileSync(join(page, name), join(folder, name))
  if (existsSync(MEDIASOUP_CLIENT)) copyFileSync(MEDIASOUP_CLIENT, join(folder, 'mediasoup-client.js'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPlayground(join(root, 'dist/playground'))
