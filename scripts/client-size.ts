// The size of packages/client as it is published: minified and gzipped (level 9). `npm run client:size` prints it by part.
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Metafile } from 'esbuild'

/** In bytes, gzipped: what a page loads before it joins a room. */
export const START_BYTES_MAX = 12_288
/** With the files for rooms and for their mode sfu, each compressed alone. Lower this whenever the SDK becomes smaller. */
export const CLIENT_BYTES_MAX = 16_384

const BUILD = new URL('build-client.mjs', import.meta.url)
const SHOWN_BYTES = 100

export interface ClientSize {
  /** In bytes, gzipped: each file for itself, as it is loaded. */
  readonly all: number
  readonly start: number
  /** The headless core alone. */
  readonly core: number
  /** Of each source file, minified and not gzipped. */
  readonly parts: ReadonlyMap<string, number>
}

interface Builder {
  bundleClient(entry?: string): Promise<{
    readonly files: readonly { readonly name: string; readonly code: string }[]
    readonly metafile: Metafile
  }>
}

export async function measureClient(): Promise<ClientSize> {
  const { bundleClient } = (await import(BUILD.href)) as Builder
  const [index, core] = await Promise.all([bundleClient(), bundleClient('core')])
  const sizes = new Map(index.files.map(({ name, code }) => [name, gzipSync(code, { level: 9 }).length]))
  const parts = Object.values(index.metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .map(([path, { bytesInOutput }]) => [basename(path).replace(/\..*/, ''), bytesInOutput] as const)
  return {
    all: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    start: sizes.get('index.js') ?? Number.NaN,
    core: gzipSync(core.files[0]?.code ?? '', { level: 9 }).length,
    parts: new Map(parts)
  }
}

export function sizeReport({ all, start, core, parts }: ClientSize): string {
  const rows = [...parts].filter(([, size]) => size >= SHOWN_BYTES).sort(([, a], [, b]) => b - a)
  return [
    `@signalpost/client, minified and gzipped: ${start} bytes of ${START_BYTES_MAX} before a room, ${all} of ` +
      `${CLIENT_BYTES_MAX} with rooms in both modes; the core alone ${core}`,
    ...rows.map(([name, size]) => `  ${name.padEnd(20)}${String(size).padStart(6)} bytes minified`)
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(sizeReport(await measureClient()))
