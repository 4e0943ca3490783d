import { readFileSync } from 'node:fs'
import t from 'tap'
import { problemsPage } from '../scripts/problems.js'

t.test('docs/problems.md is made from the error table', async t => {
  t.equal(readFileSync(new URL('../docs/problems.md', import.meta.url), 'utf8'), problemsPage())
})
