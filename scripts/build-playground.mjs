// Bundles packages/playground, with the SDK, into dist/playground, which the server serves.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

export async function buildPlayground(folder) {
  const page = join(root, 'packages/playground/page')
  // The names of its parts change with their content.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await build({
    entryPoints: { main: join(root, 'packages/playground/src/main.ts') },
    outdir: folder,
    bundle: true,
    minify: true,
    // mediasoup-client, which only rooms in mode sfu need, becomes a file of its own.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning'
  })
  for (const name of readdirSync(page)) copyFileSync(join(page, name), join(folder, name))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPlayground(join(root, 'dist/playground'))
