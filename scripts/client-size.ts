// The size of packages/client as applications get it: minified and gzipped. `npm run client:size` prints it by part.
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** In bytes, gzipped: all of it. The aim is 12 KiB: lower these whenever the SDK becomes smaller. */
export const CLIENT_BYTES_MAX = 15_600
/** What a page loads before it enters a room in mode sfu. */
export const START_BYTES_MAX = 13_550

const SRC = new URL('../packages/client/src/', import.meta.url)
const SHOWN_BYTES = 100

export interface ClientSize {
  /** In bytes, gzipped. */
  readonly all: number
  readonly start: number
  /** The headless core alone. */
  readonly core: number
  /** Of each file, minified and not gzipped. */
  readonly parts: ReadonlyMap<string, number>
}

export async function measureClient(): Promise<ClientSize> {
  const [all, start, core] = await Promise.all([
    bundle('index.ts', []),
    bundle('index.ts', ['./sfu.js']),
    bundle('core.ts', [])
  ])
  return { all: all.bytes, start: start.bytes, core: core.bytes, parts: all.parts }
}

/** `left`: modules that it imports and that are not part of it. */
async function bundle(entry: string, left: string[]): Promise<{ bytes: number; parts: Map<string, number> }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(entry, SRC))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['mediasoup-client', ...left],
    write: false,
    metafile: true
  })
  const [output] = Object.values(metafile.outputs)
  const parts = Object.entries(output?.inputs ?? {}).map(
    ([path, { bytesInOutput }]) => [basename(path).replace(/\..*/, ''), bytesInOutput] as const
  )
  return { bytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length, parts: new Map(parts) }
}

export function sizeReport({ all, start, core, parts }: ClientSize): string {
  const rows = [...parts].filter(([, size]) => size >= SHOWN_BYTES).sort(([, a], [, b]) => b - a)
  return [
    `@signalpost/client, minified and gzipped: ${all} bytes of ${CLIENT_BYTES_MAX}; before a room in mode sfu ${start} of ` +
      `${START_BYTES_MAX}; the core alone ${core}`,
    ...rows.map(([name, size]) => `  ${name.padEnd(20)}${String(size).padStart(6)} bytes minified`)
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(sizeReport(await measureClient()))
