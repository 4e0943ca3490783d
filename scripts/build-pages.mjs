// Bundles the pages that the server serves: packages/playground, with the SDK, and packages/operator. Each becomes a folder in dist.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const PAGES = ['playground', 'operator']

/** `page`: a folder of packages. */
export async function buildPage(page, folder) {
  const source = join(root, 'packages', page)
  // The names of its parts change with their content.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: { main: join(source, 'src/main.ts'), style: join(source, 'page/style.css') },
    outdir: folder,
    bundle: true,
    minify: true,
    // mediasoup-client, which only rooms in mode sfu need, becomes a file of its own.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning'
  })
  copyFileSync(join(source, 'page/index.html'), join(folder, 'index.html'))
  copyFileSync(join(root, 'packages/page-parts/icon.svg'), join(folder, 'icon.svg'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const page of PAGES) await buildPage(page, join(root, 'dist', page))
