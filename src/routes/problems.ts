// What the `type` of a problem links to: the code's row of the error table, as JSON or as a page.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Strict } from '../schemas/common.js'
import { onlyProblems, ProblemExplanation } from '../schemas/problem.js'
import { explainProblem, problemPage } from '../services/problems.js'

const EXPLAIN_PROBLEM = {
  schema: {
    operationId: 'explainProblem',
    tags: ['problems'],
    summary: 'Explain a problem code',
    description:
      'Returns what the code means, whether a retry may succeed, and what to do. As a page if the request accepts `text/html`.',
    security: [],
    params: Type.Object(
      { code: Type.String({ description: 'The `code` of a problem.', examples: ['callee_busy'] }) },
      Strict
    ),
    response: {
      200: {
        description: 'The code is explained.',
        content: {
          'application/json': { schema: ProblemExplanation },
          'text/html': { schema: Type.String(), example: problemPage(explainProblem('callee_busy')) }
        }
      },
      ...onlyProblems('invalid_request', 'not_found')
    }
  }
} as const

export const problemRoutes: FastifyPluginAsyncTypebox = async app => {
  app.get('/problems/:code', EXPLAIN_PROBLEM, async (request, reply) => {
    const explanation = explainProblem(request.params.code)
    if (!request.headers.accept?.includes('text/html')) return explanation
    return reply.type('text/html; charset=utf-8').send(problemPage(explanation))
  })
}
