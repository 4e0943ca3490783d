// The ESP-IDF component, compiled for the instruction set of the ESP32-C3 (rv32imc). Of ESP-IDF there are stand-ins: packages/c-client/test/esp-idf.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { FOLDER } from './device.js'

const RISC_V = 'riscv64-unknown-elf'
const OPTIONS = [
  '-DCMAKE_SYSTEM_NAME=Generic',
  '-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY',
  `-DCMAKE_C_COMPILER=${RISC_V}-gcc`,
  '-DCMAKE_C_FLAGS=-march=rv32imc -mabi=ilp32 --specs=picolibc.specs'
]
const printed = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8' })

for (const tls of ['ON', 'OFF'])
  t.test(`the component builds, TLS ${tls}`, async t => {
    const folder = t.testdir()
    printed('cmake', '-S', join(FOLDER, 'test/esp-idf'), '-B', folder, `-DCONFIG_SIGNALPOST_TLS=${tls}`, ...OPTIONS)
    printed('cmake', '--build', folder)
    const library = join(folder, 'signalpost/libsignalpost.a')
    const symbols = printed(`${RISC_V}-nm`, '--defined-only', library)
    for (const name of ['sp_receive', 'sp_sockets_port']) t.match(symbols, new RegExp(` \\w ${name}$`, 'm'))
    t.equal(/ sp_mbedtls_port$/m.test(symbols), tls === 'ON')
    t.comment(printed(`${RISC_V}-size`, '--totals', library).trim().split('\n').at(-1))
  })
