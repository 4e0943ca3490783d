// What holds for every answer: to the offers of the corpus, and to each of them with parts left out.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parse, type SessionDescription } from 'sdp-transform'
import t from 'tap'
import { parseDescription } from '../../../src/domain/negotiation/sdp.js'
import { answerPublication, readPublication } from '../../../src/domain/whip/publication.js'
import { answerView, readView } from '../../../src/domain/whip/view.js'
import { AppError } from '../../../src/errors.js'
import { PUBLISHING_OFFERS, VIEWING_OFFERS } from '../../corpus/whip/all.js'
import { consumerFor, ROUTER, TRANSPORT } from '../../helpers/router-capabilities.js'
import { randomRuns } from '../../helpers/runs.js'

const RUNS = randomRuns(600)

const publish = (sdp: string): string => answerPublication(readPublication(sdp, { router: ROUTER }), TRANSPORT, '1')

function view(sdp: string): string {
  const read = readView(sdp)
  const consumers = read.media.map(({ kind, rtpCapabilities }, i) =>
    consumerFor(rtpCapabilities, kind === 'audio' ? 'audio/opus' : 'video/VP8', i * 10 + 1)
  )
  return answerView(read, consumers, { transport: TRANSPORT, sessionNumber: '1' })
}

const textOf = (value: unknown): string[] => String(value ?? '').split(' ')

function checkAnswer(offerText: string, answerText: string): void {
  assert.equal(parseDescription(answerText).sdp, answerText)
  const [offer, answer] = [parse(offerText), parse(answerText)] as [SessionDescription, SessionDescription]
  assert.equal(answer.invalid, undefined, 'every line is known to the parser')
  assert.deepEqual(
    answer.media.map(({ type, protocol, mid }) => [type, protocol, mid]),
    offer.media.map(({ type, protocol, mid }) => [type, protocol, mid]),
    'the same sections in the same order'
  )
  const bundled = textOf(answer.groups?.[0]?.mids)
  for (const [i, section] of answer.media.entries()) {
    const offered = offer.media[i]
    assert.ok(offered)
    const formats = textOf(offered.payloads)
    for (const payload of textOf(section.payloads)) assert.ok(formats.includes(payload), `${payload} was offered`)
    if (section.port === 0) assert.ok(!bundled.includes(String(section.mid)), 'a rejected section is not bundled')
    const ids = [...(offer.ext ?? []), ...(offered.ext ?? [])]
    for (const { value, uri } of section.ext ?? []) {
      assert.ok(
        ids.some(ext => ext.value === value && ext.uri === uri),
        `${value} ${uri} was offered`
      )
    }
  }
  assert.ok(answer.media.some(({ port }) => port > 0))
}

t.test('every answer to the corpus keeps to its offer', async t => {
  for (const { name, sdp } of PUBLISHING_OFFERS) t.doesNotThrow(() => checkAnswer(sdp, publish(sdp)), name)
  for (const { name, sdp } of VIEWING_OFFERS.filter(({ name }) => name !== 'libdatachannel')) {
    t.doesNotThrow(() => checkAnswer(sdp, view(sdp)), name)
  }
})

/** Drops lines, repeats lines, and exchanges words of lines. */
const variation = (offers: readonly { readonly sdp: string }[]) =>
  fc
    .tuple(
      fc.constantFrom(...offers),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('drop', 'repeat', 'swap', '0', '-', '99999', '\u00e9')), {
        minLength: 1,
        maxLength: 4
      })
    )
    .map(([{ sdp }, edits]) => {
      const lines = sdp.trimEnd().split('\r\n')
      for (const [at, from, edit] of edits) {
        const i = at % lines.length
        const line = lines[i] ?? ''
        const other = lines[from % lines.length] ?? ''
        if (edit === 'drop') lines.splice(i, 1)
        else if (edit === 'repeat') lines.splice(i, 0, line)
        else if (edit === 'swap') lines[i] = other
        else lines[i] = line.replace(/[^ :=;]+$/, edit)
        if (lines.length === 0) lines.push('v=0')
      }
      return `${lines.join('\r\n')}\r\n`
    })

for (const [name, offers, answer] of [
  ['publisher', PUBLISHING_OFFERS, publish],
  ['viewer', VIEWING_OFFERS, view]
] as const) {
  t.test(`a variation of a ${name}'s offer is answered correctly, or refused with a place and a reason`, async t => {
    const counts = { answered: 0, refused: 0 }
    fc.assert(
      fc.property(variation(offers), sdp => {
        let text: string
        try {
          text = answer(sdp)
        } catch (error) {
          assert.ok(error instanceof AppError, String(error))
          assert.match(
            error.detail ?? '',
            /^Line \d+: |^Media section \d+ |^It has |^The m= line of media section \d+ |^More than /
          )
          counts.refused++
          return
        }
        counts.answered++
        if (parse(text).media.some(({ port }) => port > 0)) checkAnswer(sdp, text)
      }),
      { numRuns: RUNS }
    )
    t.ok(counts.answered > RUNS / 4, `${counts.answered} answered`)
    t.ok(counts.refused > RUNS / 20, `${counts.refused} refused`)
  })
}
