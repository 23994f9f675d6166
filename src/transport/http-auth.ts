// Owns sign-in at the HTTP doors: a request without a good credential gets 401 before anything reads it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../domain/identity/authenticator.ts';
import type { Viewer } from '../domain/identity/viewer.ts';
import { GatewayError } from '../kernel/errors.ts';

const viewers = new WeakMap<FastifyRequest, Viewer>();

/** A Fastify hook that signs the request in, or answers 401. */
export function signIn(authenticator: Authenticator) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      viewers.set(request, authenticator.authenticate(request.headers.authorization));
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'UNAUTHENTICATED') throw error;
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({
          errors: [{ message: error.message, extensions: { code: error.code, requestId: request.id } }],
        });
    }
  };
}

/** Who was signed in; only behind `signIn`. */
export function viewerOf(request: FastifyRequest): Viewer {
  const viewer = viewers.get(request);
  if (!viewer) throw new GatewayError('UNAUTHENTICATED', 'An API key is required');
  return viewer;
}
