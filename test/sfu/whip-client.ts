// Debian's simple-whip-client. Its own libsoup 2.4 and the libsoup 3 that libnice loads for UPnP refuse to be in one process, so UPnP, which is
// not needed, is replaced by an empty library.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Program, run } from '../helpers/child-process.js'

/** What libnice calls. A null pointer means that there is no UPnP. */
const NO_UPNP = `
void *gupnp_simple_igd_thread_new(void) { return 0; }
unsigned long gupnp_simple_igd_get_type(void) { return 0; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
`
const LIBRARY = 'libgupnp-igd-1.0.so.4'

export interface EncoderOptions {
  readonly url: string
  readonly token: string
  /** GStreamer pipelines. */
  readonly audio?: string
  readonly video?: string
  readonly withinMs: number
}

export function startWhipClient(t: Test, { url, token, audio, video, withinMs }: EncoderOptions): Program {
  const folder = mkdtempSync(join(tmpdir(), 'whip-client-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const source = join(folder, 'no-upnp.c')
  writeFileSync(source, NO_UPNP)
  const built = spawnSync('gcc', ['-shared', '-fPIC', `-Wl,-soname,${LIBRARY}`, '-o', join(folder, LIBRARY), source])
  if (built.status !== 0) throw new Error(`gcc failed: ${built.stderr}`)
  const pipelines = [...(audio === undefined ? [] : ['-A', audio]), ...(video === undefined ? [] : ['-V', video])]
  return run(t, 'whip-client', ['-u', url, '-t', token, '-o', ...pipelines], {
    env: { LD_LIBRARY_PATH: folder },
    withinMs
  })
}
