import type { Endpoint } from '../schemas/common.js'

/** Drops the other members of an actor or participant, so that they are neither stored nor sent. */
export const endpoint = ({ user, device }: Endpoint): Endpoint => ({ user, device })
