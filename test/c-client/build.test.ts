// How the C client is built, what it weighs, and that its sources keep to their rules.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FOLDER, make } from './device.js'

const RAM_MAX = 16_384
/** Thumb code. What is measured is 9.8 KB; growth should be noticed. */
const CODE_MAX = 11_000
/** Of device.c, beside that. What is measured is 2.2 KB. */
const DEVICE_CODE_MAX = 2_500
const FILE_LINES_MAX = 350

const FOLDERS = ['src', 'include', 'port', 'example', 'fuzz', 'test']
const sources = FOLDERS.flatMap(folder =>
  readdirSync(join(FOLDER, folder))
    .filter(name => /\.[ch]$/.test(name))
    .map(name => join(folder, name))
)
const printed = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: FOLDER, encoding: 'utf8' })

for (const compiler of ['gcc', 'clang'])
  t.test(`${compiler} has nothing to warn of`, async t => {
    for (const level of ['-Os', '-O3']) {
      const build = `build/${compiler}${level}`
      const { status, stderr } = spawnSync(
        'make',
        [
          '-s',
          '-C',
          FOLDER,
          'all',
          `${build}/camera`,
          `${build}/driver`,
          `BUILD=${build}`,
          `CC=${compiler}`,
          `CFLAGS=${level}`
        ],
        { encoding: 'utf8' }
      )
      t.match({ status, stderr }, { status: 0, stderr: '' }, level)
    }
  })

t.test('the client fits into a microcontroller', async t => {
  const { status, stdout, stderr } = spawnSync('make', ['-s', '-C', FOLDER, 'arm'], { encoding: 'utf8' })
  t.match({ status, stderr }, { status: 0, stderr: '' }, 'nothing to warn of')
  t.comment(stdout)
  const figures = JSON.parse(printed(process.execPath, 'measure.mjs', '--json'))
  const [arm] = figures
  t.equal(arm.name, 'Cortex-M4')
  t.ok(arm.code < CODE_MAX, `${arm.code} bytes of code`)
  t.equal(arm.static, 0, 'no global variables')
  t.ok(arm.client + arm.stack < RAM_MAX)
  t.ok(
    arm.path.some((each: string) => each.startsWith('document.c:take_value')),
    'calls through pointers are counted'
  )
  t.ok(arm.device.code < DEVICE_CODE_MAX, `${arm.device.code} bytes of code for a key of its own`)
  t.ok(arm.client + arm.device.memory + arm.device.stack < RAM_MAX)
  for (const { name, code, client, stack } of figures)
    t.comment(`${name}: ${code} bytes of code, ${client} of memory, ${stack} of stack`)
})

t.test('the client calls nothing of the C library but functions on bytes and strings', async t => {
  const symbols = printed('nm', '--undefined-only', make('build/libsignalpost.a'))
  const used = new Set(
    [...symbols.matchAll(/ U (\w+)/g)].map(([, name = '']) => name).filter(name => !name.startsWith('sp_'))
  )
  const allowed = [
    'memcmp',
    'memcpy',
    'memset',
    'strchr',
    'strcmp',
    'strlen',
    'strncmp',
    '__stack_chk_fail',
    '_GLOBAL_OFFSET_TABLE_'
  ]
  t.same(
    [...used].filter(name => !allowed.includes(name)),
    []
  )
})

t.test('the headers can be included from C++', async t => {
  const input =
    '#include "signalpost_device.h"\n#include "sp_sodium.h"\n#include "sockets.h"\nint main() { sp_client client; sp_stop(&client); }\n'
  const options = ['-Wall', '-Wextra', '-Werror', '-Iinclude', '-Iport', '-xc++', '-fsyntax-only', '-']
  const { status, stderr } = spawnSync('g++', options, { cwd: FOLDER, input, encoding: 'utf8' })
  t.match({ status, stderr }, { status: 0, stderr: '' })
})

t.test('the port for sockets compiles with lwIP, and calls nothing else', async t => {
  const object = join(t.testdir(), 'sockets.o')
  const folders = ['-Iinclude', '-Iport', '-Itest/lwip', '-isystem', '/usr/include/lwip']
  printed(
    'gcc',
    '-std=gnu99',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-DSP_LWIP',
    ...folders,
    '-c',
    'port/sockets.c',
    '-o',
    object
  )
  const used = [...printed('nm', '--undefined-only', object).matchAll(/ U (\w+)/g)].map(([, name = '']) => name)
  t.ok(used.includes('lwip_poll'))
  const others = ['__errno_location', '__stack_chk_fail', '_GLOBAL_OFFSET_TABLE_']
  t.same(
    used.filter(name => !name.startsWith('lwip_') && !others.includes(name)),
    []
  )
})

t.test(`a source file has at most ${FILE_LINES_MAX} lines`, async t => {
  t.ok(sources.length > 15)
  for (const file of sources) {
    const lines = readFileSync(join(FOLDER, file), 'utf8').trimEnd().split('\n').length
    t.ok(lines <= FILE_LINES_MAX, `${file}: ${lines}`)
  }
})

t.test('the sources have the format of .clang-format', async t => {
  const { status, stderr } = spawnSync('clang-format', ['--dry-run', '-Werror', ...sources], {
    cwd: FOLDER,
    encoding: 'utf8'
  })
  t.match({ status, stderr }, { status: 0, stderr: '' })
})
