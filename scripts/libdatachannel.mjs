// `node scripts/libdatachannel.mjs` builds libdatachannel, a WebRTC library for devices, and prints the folder: the example of packages/c-client
// with real media needs it. Its sources are in a crate (packages/c-client/libdatachannel). Needs cargo, cmake, a C++ compiler and OpenSSL.
// It is kept outside the tree.
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, digestOf, provideFolder, run } from './cached-folder.mjs'

const CRATE = fileURLToPath(new URL('../packages/c-client/libdatachannel/', import.meta.url))
/** Data channels alone: no RTP, no WebSocket. */
const OPTIONS = ['NO_MEDIA', 'NO_WEBSOCKET', 'NO_EXAMPLES', 'NO_TESTS'].map(name => `-D${name}=ON`)
/** Two minutes on two idle cores. */
const WITHIN_MS = 900_000

/** Resolves to the folder, with `include` and `lib`. */
export async function provideLibdatachannel({ withinMs = WITHIN_MS } = {}) {
  const deadline = Date.now() + withinMs
  const folder = join(cacheFolder(), `libdatachannel-${digestOf(readFileSync(join(CRATE, 'Cargo.toml'), 'utf8'))}`)
  await provideFolder(folder, {
    deadline,
    async install(draft) {
      const step = (command, ...args) => run(command, args, { cwd: draft, deadline })
      cpSync(CRATE, join(draft, 'crate'), { recursive: true })
      await step('cargo', 'vendor', '--manifest-path', 'crate/Cargo.toml', 'sources')
      // Its libraries name an older version of CMake than CMake 4 takes.
      const type = ['-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_POLICY_VERSION_MINIMUM=3.5']
      await step('cmake', '-S', 'sources/datachannel-sys/libdatachannel', '-B', 'build', ...type, ...OPTIONS)
      await step('cmake', '--build', 'build', '--parallel', '2')
      await step('cmake', '--install', 'build', '--prefix', draft)
      await step('rm', '-r', 'crate', 'sources', 'build')
    }
  })
  return folder
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await provideLibdatachannel())
