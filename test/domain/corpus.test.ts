// The corpus and its variations: what is passed on, and what a refusal says. Chromium is asked in test/browser/negotiation.test.ts.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { readCandidates } from '../../src/domain/negotiation/candidate.js'
import { parseDescription } from '../../src/domain/negotiation/sdp.js'
import { AppError } from '../../src/errors.js'
import type { Candidate } from '../../src/schemas/signal.js'
import { STACKS } from '../corpus/all.js'
import { candidateVariation, descriptionVariation } from '../corpus/variations.js'
import { randomRuns } from '../helpers/runs.js'

const RUNS = randomRuns(500)

t.test('every description of the corpus is passed on byte for byte', async t => {
  for (const { name: stack, descriptions } of STACKS)
    for (const { name, sdp } of descriptions) t.equal(parseDescription(sdp).sdp, sdp, `${stack}: ${name}`)
})

t.test('every candidate of the corpus is passed on in canonical form, or is the end', async t => {
  for (const { name, candidates } of STACKS) {
    const { candidates: canonical, end, rejected } = readCandidates({ candidates: [...candidates] })
    t.strictSame(rejected, [], name)
    t.equal(canonical.length + Number(end), candidates.length, name)
    for (const candidate of canonical) t.match(candidate.candidate, /^$|^candidate:.*\S$/, name)
    t.strictSame(readCandidates({ candidates: [...canonical] }).candidates, canonical, 'which is the same once more')
  }
})

/** Null: nothing was thrown; else the problem. */
function refusalOf(run: () => void): AppError | null {
  try {
    run()
    return null
  } catch (error) {
    assert.ok(error instanceof AppError, String(error))
    return error
  }
}

/** The end of a description is all that is changed. */
const withoutEnd = (sdp: string) => sdp.replace(/(?:\r?\n\s*)*\r?$/, '')

t.test('a variation of a description is passed on, or refused with the line and the reason', async t => {
  const counts = { relayed: 0, refused: 0 }
  fc.assert(
    fc.property(descriptionVariation, ({ what, value }) => {
      const refusal = refusalOf(() => {
        const { sdp, ufrags } = parseDescription(value)
        assert.equal(withoutEnd(sdp), withoutEnd(value), what)
        assert.deepEqual(parseDescription(sdp).sdp, sdp, what)
        for (const ufrag of ufrags) assert.ok(value.includes(`a=ice-ufrag:${ufrag}`), what)
      })
      counts[refusal ? 'refused' : 'relayed']++
      if (refusal === null) return
      assert.equal(refusal.code, 'invalid_sdp', what)
      const [, line] = /^Line (\d+): ./.exec(refusal.detail ?? '') ?? []
      if (line === undefined) assert.match(refusal.detail ?? '', /^It has no m= line/, what)
      else assert.ok(Number(line) >= 1 && Number(line) <= value.split('\n').length, `${what}: ${refusal.detail}`)
    }),
    { numRuns: RUNS }
  )
  for (const [outcome, count] of Object.entries(counts)) t.ok(count > RUNS / 10, `${count} ${outcome}`)
})

t.test(
  'a variation of a candidate is passed on in canonical form, or refused with its index and the reason',
  async t => {
    const counts = { relayed: 0, refused: 0 }
    fc.assert(
      fc.property(candidateVariation('0'), ({ what, value }) => {
        let canonical: readonly Candidate[] = []
        const refusal = refusalOf(() => {
          canonical = readCandidates({ candidates: [value] }).candidates
        })
        counts[refusal ? 'refused' : 'relayed']++
        if (refusal) {
          assert.equal(refusal.code, 'invalid_candidate', what)
          assert.match(refusal.detail ?? '', /^candidates\[0\]: ./, what)
          return
        }
        const lines = typeof value === 'string' ? value : (value?.candidate ?? '')
        for (const { candidate } of canonical) assert.ok(lines.includes(candidate), what)
        assert.deepEqual(readCandidates({ candidates: [...canonical] }).candidates, canonical, what)
      }),
      { numRuns: RUNS }
    )
    for (const [outcome, count] of Object.entries(counts)) t.ok(count > RUNS / 10, `${count} ${outcome}`)
  }
)
