// What Chromium accepts is relayed, and Chromium accepts what is relayed, except for the rows of test/corpus/disagreements.ts.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { readCandidates } from '../../src/domain/negotiation/candidate.js'
import { parseDescription } from '../../src/domain/negotiation/sdp.js'
import { AppError } from '../../src/errors.js'
import type { CandidateInput } from '../../src/schemas/signal.js'
import { STACKS } from '../corpus/all.js'
import {
  CANDIDATES_REFUSED_HERE,
  CANDIDATES_REFUSED_THERE,
  type Disagreement,
  explains,
  OFFERS_REFUSED_HERE,
  OFFERS_REFUSED_THERE
} from '../corpus/disagreements.js'
import { candidateVariation, descriptionVariation, type Variation } from '../corpus/variations.js'
import { Judge, type Verdict } from './judge.js'

const SEED = 20_261_129
const RUNS = 1500

const judge = await Judge.open(t)

/** What the server passes on, or the detail of its refusal. */
type Outcome<T> = { readonly relayed: T } | { readonly refused: string }

interface Case<T> {
  readonly what: string
  /** What is tried: as it was sent, then as the server passes it on. */
  readonly sent: T
  readonly outcome: Outcome<T>
}

interface Tables<T> {
  readonly judge: (inputs: readonly T[]) => Promise<Verdict[]>
  readonly refusedHere: readonly Disagreement[]
  readonly refusedThere: readonly Disagreement[]
  /** What the rows of `refusedThere` match. */
  readonly refusalOf: (relayed: T, message: string) => string
}

function outcomeOf<T>(relay: () => T): Outcome<T> {
  try {
    return { relayed: relay() }
  } catch (error) {
    if (error instanceof AppError) return { refused: String(error.detail) }
    throw error
  }
}

/** Every disagreement has its row, and every row its disagreement. */
async function compare<T>(t: Test, cases: readonly Case<T>[], tables: Tables<T>): Promise<void> {
  const sent = await tables.judge(cases.map(each => each.sent))
  const relayed = await tables.judge(cases.map(({ sent, outcome }) => ('relayed' in outcome ? outcome.relayed : sent)))
  const unexplained: string[] = []
  const seen = new Set<Disagreement>()
  let agreed = 0
  for (const [i, { what, outcome }] of cases.entries()) {
    const isRelayed = 'relayed' in outcome
    const verdict = (isRelayed ? relayed : sent)[i] ?? null
    if (isRelayed === (verdict === null)) agreed++
    else {
      const row = isRelayed
        ? explains(tables.refusedThere, tables.refusalOf(outcome.relayed, verdict ?? ''))
        : explains(tables.refusedHere, outcome.refused)
      if (row) seen.add(row)
      else unexplained.push(`${what}: ${isRelayed ? verdict : outcome.refused}`)
    }
  }
  t.strictSame(unexplained, [])
  const rows = [...tables.refusedHere, ...tables.refusedThere]
  t.strictSame(
    rows.filter(row => !seen.has(row)),
    [],
    'every row occurs'
  )
  t.ok(agreed > cases.length * 0.8, `they agree about ${agreed} of ${cases.length}`)
}

const OFFERS: Tables<string> = {
  judge: sdps => judge.judgeOffers(sdps),
  refusedHere: OFFERS_REFUSED_HERE,
  refusedThere: OFFERS_REFUSED_THERE,
  refusalOf: (_, message) => message
}

const relayCandidate = (input: CandidateInput): CandidateInput =>
  readCandidates({ candidates: [input] }).candidates[0] ?? null

const CANDIDATES: Tables<CandidateInput> = {
  judge: candidates => judge.judgeCandidates(candidates),
  refusedHere: CANDIDATES_REFUSED_HERE,
  refusedThere: CANDIDATES_REFUSED_THERE,
  refusalOf: relayed => (relayed as { candidate: string }).candidate
}

t.test('Chromium accepts every description and candidate of the corpus', async t => {
  const descriptions = STACKS.flatMap(stack =>
    stack.descriptions.map(({ name, sdp }) => ({ what: `${stack.name}: ${name}`, sdp }))
  )
  const verdicts = await judge.judgeOffers(descriptions.map(({ sdp }) => parseDescription(sdp).sdp))
  for (const [i, { what }] of descriptions.entries()) t.equal(verdicts[i], null, what)
  const candidates = STACKS.flatMap(stack =>
    stack.candidates.map(input => ({ what: stack.name, input: relayCandidate(input) }))
  )
  const inPlace = candidates.map(({ input }) =>
    input === null ? null : { ...(input as object), sdpMid: judge.mid, sdpMLineIndex: 0 }
  )
  const onThem = await judge.judgeCandidates(inPlace as CandidateInput[])
  for (const [i, { what }] of candidates.entries()) t.equal(onThem[i], null, what)
})

t.test('variations of descriptions', async t => {
  const sample = fc.sample(descriptionVariation, { seed: SEED, numRuns: RUNS })
  const cases = sample.map(({ what, value }: Variation<string>) => ({
    what,
    sent: value,
    outcome: outcomeOf(() => parseDescription(value).sdp)
  }))
  await compare(t, cases, OFFERS)
})

t.test('variations of candidates', async t => {
  const sample = fc.sample(candidateVariation(judge.mid), { seed: SEED, numRuns: RUNS })
  const cases = sample.map(({ what, value }: Variation<CandidateInput>) => ({
    what,
    sent: value,
    outcome: outcomeOf(() => relayCandidate(value))
  }))
  await compare(t, cases, CANDIDATES)
})
