// The policy service of examples/services as a server: its rules, the questions it got, and whether it replies. Rules name users, rooms and calls
// as the test does; the suffix that a scenario gives names on the wire is taken off the question and put on the answer.
import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CallTo } from '../../src/schemas/callee.js'
import type { PolicyQuestion } from '../../src/schemas/policy.js'
import { until } from './until.js'

export type Rules = (question: PolicyQuestion) => unknown

interface Example {
  createPolicyService(options: { decide(question: PolicyQuestion): Promise<unknown> }): Server
  decideByRules(rules: object): Rules
}

/** What begins the suffix of a scenario. */
const SUFFIX = /\|: \{é\}%2F~\d+/

function withSuffix(to: CallTo, suffix: string): CallTo {
  if (typeof to === 'string') return to + suffix
  if (!Array.isArray(to)) return { ...to, user: to.user + suffix }
  return to.map(each => (typeof each === 'string' ? each + suffix : { ...each, user: each.user + suffix }))
}

export class PolicyService {
  /** As they came. */
  readonly received: PolicyQuestion[] = []
  /** Replies instead of the service. */
  failure: RequestListener | null = null
  readonly #server: Server
  #isStopped = false
  #held: { readonly about: (question: PolicyQuestion) => boolean; readonly until: Promise<void> } | null = null

  private constructor({ createPolicyService }: Example, rules: Rules) {
    this.#server = createPolicyService({ decide: question => this.#decide(question, rules) })
    this.#server.on('connection', socket => {
      if (this.#isStopped) socket.destroy()
    })
    const [listener] = this.#server.listeners('request') as RequestListener[]
    this.#server.removeAllListeners('request').on('request', (request, reply) => {
      const answer = this.failure ?? listener
      answer?.(request, reply)
    })
  }

  /** `rules`: of the test, or those that the example takes. */
  static async start(rules: Rules | object): Promise<PolicyService> {
    const example: Example = await import(new URL('../../examples/services/policy-service.mjs', import.meta.url).href)
    const service = new PolicyService(
      example,
      typeof rules === 'function' ? (rules as Rules) : example.decideByRules(rules)
    )
    await once(service.#server.listen(0, '127.0.0.1'), 'listening')
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/decisions`
  }

  async #decide(question: PolicyQuestion, rules: Rules): Promise<unknown> {
    this.received.push(question)
    if (this.#held?.about(question)) await this.#held.until
    const text = JSON.stringify(question)
    const [suffix = ''] = SUFFIX.exec(text) ?? []
    const answer = rules(JSON.parse(suffix === '' ? text : text.replaceAll(`${suffix}"`, '"'))) as { to?: CallTo }
    return answer.to === undefined ? answer : { ...answer, to: withSuffix(answer.to, suffix) }
  }

  /** From now on these questions are not answered, until the returned function is called. */
  holdReplies(about: (question: PolicyQuestion) => boolean = () => true): () => void {
    let release = () => {}
    const until = new Promise<void>(resolve => {
      release = resolve
    })
    this.#held = { about, until }
    return () => {
      this.#held = null
      release()
    }
  }

  /** Resolves when it has got this number of questions. */
  async waitForQuestions(count: number): Promise<void> {
    await until(`the policy service got ${count} questions`, () => this.received.length >= count)
  }

  restart(): void {
    this.#isStopped = false
  }

  /** Closes all connections and refuses new ones. The server goes on listening, so that no other process takes its port. */
  stop(): void {
    this.#isStopped = true
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.stop()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
