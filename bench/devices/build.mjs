// Compiles the clients in C into a temporary folder, with the descriptions and candidates of fixtures.mjs.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepDirectory } from '../harness/processes.mjs'
import { signalOf } from './side.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const PACKAGE = fileURLToPath(new URL('../../packages/c-client', import.meta.url))

/** Members to append to a JSON object, as a string of C. */
const membersInC = object => JSON.stringify(`,${JSON.stringify(object).slice(1, -1)}`)

function header() {
  const lines = [`enum { CANDIDATES = ${signalOf('caller').candidates.length} };`]
  for (const side of ['caller', 'callee']) {
    const { sdp, candidates } = signalOf(side)
    const name = side.toUpperCase()
    const texts = candidates.map(({ candidate }) => JSON.stringify(candidate)).join(', ')
    lines.push(
      `static const char ${name}_SDP[] = ${JSON.stringify(sdp)};`,
      `static const char *const ${name}_CANDIDATES[] = {${texts}};`,
      `static const char ${name}_SDP_JSON[] = ${membersInC({ sdp })};`,
      `static const char ${name}_CANDIDATES_JSON[] = ${membersInC({ candidates })};`,
      `static const char ${name}_SIGNAL_JSON[] = ${membersInC({ sdp, candidates })};`
    )
  }
  return `${lines.join('\n')}\n`
}

/** Returns the folder with `signalpost-call` and `mqtt-call`. */
export function buildClients() {
  const folder = mkdtempSync(join(tmpdir(), 'signalpost-bench-'))
  keepDirectory(folder)
  writeFileSync(join(folder, 'fixture.h'), header())
  const library = join(folder, 'libsignalpost.a')
  execFileSync('make', ['-s', '-C', PACKAGE, `BUILD=${folder}`, library])
  const options = ['-std=c99', '-Os', '-Wall', '-Wextra', '-Wno-unused', `-I${folder}`]
  const compile = (name, ...more) =>
    execFileSync('cc', [...options, join(HERE, `${name}.c`), ...more, '-o', join(folder, name)], { stdio: 'inherit' })
  const ours = [`-I${PACKAGE}/include`, `-I${PACKAGE}/port`, `${PACKAGE}/port/sockets.c`, library]
  compile('signalpost-call', ...ours)
  compile('mqtt-call', '-lmosquitto')
  return folder
}
