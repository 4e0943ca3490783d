// Tasks that replace each other while they wait.
import t from 'tap'
import { createLatestTask } from '../../src/services/latest-task.js'

/** Records which tasks begin, and ends them by hand. */
function recorder() {
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const task = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      begun.push(name)
      ends.set(name, error => (error ? reject(error) : resolve(name)))
    })
  return { begun, task, end: (name: string, error?: Error) => ends.get(name)?.(error) }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('of the tasks that wait for a running one only the last begins, and all callers get its result', async t => {
  const { begun, task, end } = recorder()
  const run = createLatestTask<string>()
  const first = run('x', task('a'))
  const waiting = ['b', 'c', 'd'].map(name => run('x', task(name)))
  const other = run('y', task('e'))
  t.strictSame(begun, ['a', 'e'], 'tasks of other names do not wait')
  end('a')
  t.equal(await first, 'a')
  await turn()
  t.strictSame(begun, ['a', 'e', 'd'])
  const later = run('x', task('f'))
  for (const name of ['d', 'e']) end(name)
  t.strictSame(await Promise.all(waiting), ['d', 'd', 'd'])
  await turn()
  end('f')
  t.strictSame(await Promise.all([later, other]), ['f', 'e'])
  t.strictSame(begun, ['a', 'e', 'd', 'f'])
})

t.test('after a task that failed the next one begins', async t => {
  const { begun, task, end } = recorder()
  const run = createLatestTask<string>()
  const first = run('x', task('a'))
  const second = run('x', task('b'))
  end('a', new Error('failed'))
  await t.rejects(first, { message: 'failed' })
  await turn()
  end('b')
  t.equal(await second, 'b')
  const third = run('x', task('c'))
  t.strictSame(begun, ['a', 'b', 'c'], 'a task that nothing precedes begins at once')
  end('c')
  t.equal(await third, 'c')
})
