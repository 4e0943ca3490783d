// The media service of the examples on a real mediasoup worker. scripts/media-service.mjs has installed both (`npm run test:sfu`).
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Program, run } from './child-process.js'
import { freePort } from './redis.js'

const EXAMPLE = fileURLToPath(new URL('../../examples/media-service', import.meta.url))

export interface MediaExample {
  readonly url: string
  readonly secret: string
  readonly program: Program
  /** The process ids of its workers, in the order in which they started. */
  workers(): number[]
}

/** Why this machine cannot have a mediasoup worker; null if it has one. */
export const mediaImpossible = (): string | null => process.env.MEDIA_SERVICE_IMPOSSIBLE ?? null

/** It is ended after the test. */
export async function startMediaExample(t: Test, env: Readonly<Record<string, string>> = {}): Promise<MediaExample> {
  const { MEDIA_SERVICE_FOLDER: installed, MEDIASOUP_WORKER_BIN } = process.env
  if (!installed) throw new Error('the media service is not installed; use npm run test:sfu')
  const folder = mkdtempSync(join(tmpdir(), 'media-service-'))
  // Modules are found from the real path of a file, so the sources must lie beside node_modules.
  cpSync(EXAMPLE, folder, { recursive: true, dereference: true, filter: path => !path.includes('node_modules') })
  symlinkSync(join(installed, 'node_modules'), join(folder, 'node_modules'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const secret = 'a secret of the media service and of Signalpost'
  const program = run(t, process.execPath, ['main.js'], {
    cwd: folder,
    withinMs: 60_000,
    env: {
      ...(MEDIASOUP_WORKER_BIN ? { MEDIASOUP_WORKER_BIN } : {}),
      MEDIA_SERVICE_SECRET: secret,
      PORT: '0',
      WORKERS: '1',
      // With WebRtcServer its worker listens on this one.
      RTC_MIN_PORT: String(await freePort()),
      RTC_MAX_PORT: '65000',
      ...env
    }
  })
  const lines = await program.waitForOutput(/"msg":"listening"/)
  const url = /"url":"([^"]+)"/.exec(lines)?.[1] ?? ''
  const workers = () =>
    [...program.stdout().matchAll(/"worker":(\d+),"msg":"a media worker runs"/g)].map(([, pid]) => Number(pid))
  return { url, secret, program, workers }
}
