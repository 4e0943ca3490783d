// Runs compiled test files one after another in one process. Most of the time of a small file goes into loading the server and compiling its
// schemas, and flows of several files with the same environment share their nodes. Each file is a subtest.
import { join } from 'node:path'
import { t } from 'tap'

const { TEST_FOLDER, TAP_TIMEOUT } = process.env
const { test } = t
/** Of the file that runs. */
let subtest

// What a file does with the root test is for its subtest. What it tears down stays until the process ends: other files may use it.
t.test = (...args) => subtest.test(...args)
Object.defineProperty(t, 'jobs', { set: jobs => (subtest.jobs = jobs), get: () => subtest?.jobs ?? 1 })
t.setTimeout(0)

for (const file of process.argv.slice(2)) {
  test(file, { timeout: Number(TAP_TIMEOUT) * 1000 }, async child => {
    subtest = child
    await import(join(TEST_FOLDER, file.replace(/\.ts$/, '.js')))
  })
}
