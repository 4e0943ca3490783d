// How /docs looks: Swagger UI without its top bar, in the colours of the project.
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui'

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b5c6b"/>' +
  '<path d="M8 13V7M5 9a3.5 3.5 0 1 1 6 0M3 11a6 6 0 1 1 10 0" fill="none" stroke="#fff" stroke-width="1.5"/></svg>'

const CSS = `
:root { --accent: #0b5c6b; }
body { margin: 0; background: #fff; }
.swagger-ui { color: #1d2529; }
.swagger-ui, .swagger-ui .info .title, .swagger-ui .opblock-tag, .swagger-ui .opblock .opblock-summary-description,
.swagger-ui .btn, .swagger-ui label, .swagger-ui table thead tr th { font-family: system-ui, sans-serif; }
.swagger-ui .info { margin: 32px 0; border-top: 4px solid var(--accent); padding-top: 24px; }
.swagger-ui .info .title { color: var(--accent); }
.swagger-ui .info .markdown table { width: auto; }
.swagger-ui .opblock-tag { border-bottom-color: var(--accent); }
.swagger-ui .scheme-container { box-shadow: none; border-bottom: 1px solid #d5dcdf; padding: 16px 0; }
.swagger-ui .btn.authorize, .swagger-ui .btn.execute { background: var(--accent); border-color: var(--accent); color: #fff; }
.swagger-ui .btn.authorize svg { fill: #fff; }
`

export const DOCS_THEME = {
  theme: {
    title: 'Signalpost API',
    css: [{ filename: 'signalpost.css', content: CSS }],
    favicon: [
      { filename: 'signalpost.svg', rel: 'icon', sizes: 'any', type: 'image/svg+xml', content: Buffer.from(ICON) }
    ]
  },
  uiConfig: {
    layout: 'BaseLayout',
    deepLinking: true,
    displayRequestDuration: true,
    persistAuthorization: true,
    tryItOutEnabled: true,
    defaultModelExpandDepth: 3
  }
} satisfies FastifySwaggerUiOptions
