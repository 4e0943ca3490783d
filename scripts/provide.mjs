// What the tests need on the system: installed with apt-get by root, named otherwise.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

function isThere(path, mode = constants.R_OK) {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

const isInstalled = command =>
  (process.env.PATH ?? '').split(delimiter).some(directory => isThere(join(directory, command), constants.X_OK))

/** Provides one of the commands, or the file, by the Debian packages. Exits if that is impossible. */
export function provide({ commands = [], file, debian }) {
  const isProvided = () => commands.some(isInstalled) || (file !== undefined && isThere(file))
  if (isProvided()) return
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    // RUNLEVEL=1 prevents Debian from starting the service: the tests start their own servers.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    spawnSync('apt-get', ['update', '-q'], { stdio: 'inherit', env })
    spawnSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...[debian].flat()], {
      stdio: 'inherit',
      env
    })
  }
  if (isProvided()) return
  const what = file ?? `${commands.join(' or ')} on the PATH`
  console.error(`The tests need ${what}; on Debian and Ubuntu: apt-get install ${[debian].flat().join(' ')}`)
  process.exit(1)
}

/** Compilers, analysers and libraries for `npm run test:c`. */
export function provideToolsForC() {
  provide({ commands: ['make'], debian: 'make' })
  provide({ commands: ['gcc'], debian: ['gcc', 'libc6-dev'] })
  for (const command of ['g++', 'cmake', 'cargo', 'clang', 'clang-format', 'openssl', 'valgrind'])
    provide({ commands: [command], debian: command })
  // The runtime of libFuzzer, of the version that `clang` is.
  const ofClang = (...args) => spawnSync('clang', args, { encoding: 'utf8' }).stdout.trim()
  provide({
    file: ofClang(`-print-file-name=libclang_rt.fuzzer-${ofClang('-dumpmachine').split('-')[0]}.a`),
    debian: `libclang-rt-${ofClang('-dumpversion').split('.')[0]}-dev`
  })
  provide({ commands: ['arm-none-eabi-gcc'], debian: ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'] })
  provide({
    commands: ['riscv64-unknown-elf-gcc'],
    debian: ['gcc-riscv64-unknown-elf', 'picolibc-riscv64-unknown-elf']
  })
  provide({ file: '/usr/include/mbedtls/ssl.h', debian: 'libmbedtls-dev' })
  provide({ file: '/usr/include/sodium.h', debian: 'libsodium-dev' })
  provide({ file: '/usr/include/openssl/ssl.h', debian: 'libssl-dev' })
  provide({ file: '/usr/include/lwip/lwip/sockets.h', debian: 'liblwip-dev' })
}
