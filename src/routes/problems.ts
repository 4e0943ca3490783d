// Where the `type` of a problem points: the code's row of the error table, for programs and for people.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Strict } from '../schemas/common.js'
import { onlyProblems, ProblemKind } from '../schemas/problem.js'
import { explainProblem, problemPage } from '../services/problems.js'

export const problemRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/problems/:code',
    schema: {
      operationId: 'explainProblem',
      tags: ['operations'],
      summary: 'What a problem code means',
      security: [],
      params: Type.Object({ code: Type.String({ description: 'A problem code', examples: ['callee_busy'] }) }, Strict),
      response: {
        200: {
          description: 'The row of the error table',
          content: { 'application/json': { schema: ProblemKind }, 'text/html': { schema: Type.String() } }
        },
        ...onlyProblems('not_found')
      }
    },
    async handler(request, reply) {
      const kind = explainProblem(request.params.code)
      if (!request.headers.accept?.includes('text/html')) return kind
      return reply.type('text/html; charset=utf-8').send(problemPage(kind))
    }
  })
}
