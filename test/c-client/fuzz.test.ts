// Replays the corpus of the fuzzers. Fuzzing itself is `make -C packages/c-client fuzz`.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FOLDER, make } from './device.js'

const CORPUS = join(FOLDER, 'fuzz/corpus')
for (const name of readdirSync(CORPUS))
  t.test(`the corpus of ${name} is read without a finding`, async t => {
    const fuzzer = make(`build/fuzz/${name}`)
    const files = readdirSync(join(CORPUS, name)).map(file => join(CORPUS, name, file))
    const { status, stderr } = spawnSync(fuzzer, files, { encoding: 'utf8' })
    t.equal(status, 0, `${files.length} inputs${status === 0 ? '' : `: ${stderr}`}`)
  })
