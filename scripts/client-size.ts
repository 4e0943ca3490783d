// The size of packages/client as applications get it: minified and gzipped. `npm run client:size` prints it by part.
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** In bytes, gzipped. The aim is 12 KiB: lower it whenever the SDK becomes smaller. */
export const CLIENT_BYTES_MAX = 15_500

const SRC = new URL('../packages/client/src/', import.meta.url)
const SHOWN_BYTES = 100

export interface ClientSize {
  /** Of all of it, gzipped. */
  readonly bytes: number
  /** Of the headless core alone, gzipped. */
  readonly coreBytes: number
  /** Of each file, minified and not gzipped. */
  readonly parts: ReadonlyMap<string, number>
}

export async function measureClient(): Promise<ClientSize> {
  const [all, core] = await Promise.all([bundle('index.ts'), bundle('core.ts')])
  return { bytes: all.bytes, coreBytes: core.bytes, parts: all.parts }
}

async function bundle(entry: string): Promise<{ bytes: number; parts: Map<string, number> }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(entry, SRC))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['mediasoup-client'],
    write: false,
    metafile: true
  })
  const [output] = Object.values(metafile.outputs)
  const parts = Object.entries(output?.inputs ?? {}).map(([path, { bytesInOutput }]) => [
    basename(path).replace(/\..*/, ''),
    bytesInOutput
  ])
  return {
    bytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length,
    parts: new Map(parts as [string, number][])
  }
}

export function sizeReport({ bytes, coreBytes, parts }: ClientSize): string {
  const rows = [...parts].filter(([, size]) => size >= SHOWN_BYTES).sort(([, a], [, b]) => b - a)
  return [
    `@signalpost/client: ${bytes} bytes minified and gzipped, of ${CLIENT_BYTES_MAX}; the core alone ${coreBytes}`,
    ...rows.map(([name, size]) => `  ${name.padEnd(20)}${String(size).padStart(6)} bytes minified`)
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(sizeReport(await measureClient()))
