// @signalpost/client
export * from './core.js'
