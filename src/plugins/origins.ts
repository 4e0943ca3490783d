// The origins of CORS_ORIGINS: `https://example.com`, `capacitor://localhost`, and `https://*.example.com` for all subdomains.

/** One or more labels of a domain name. */
const LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/

/** Returns whether an `Origin` header names one of them. `*` alone names none. */
export function originMatcher(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set(patterns.filter(pattern => !pattern.includes('*')))
  const wildcards = patterns.filter(pattern => pattern.includes('://*.')).map(pattern => pattern.split('*'))
  return origin =>
    exact.has(origin) || wildcards.some(([scheme = '', domain = '']) => isBetween(origin, scheme, domain))
}

const isBetween = (origin: string, scheme: string, domain: string): boolean =>
  origin.startsWith(scheme) && origin.endsWith(domain) && LABELS.test(origin.slice(scheme.length, -domain.length))
