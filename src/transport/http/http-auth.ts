// Owns sign-in at the HTTP doors: a request without a valid credential is refused by its headers alone, before its body is read.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SignedIn } from '../../domain/identity/authenticator.ts';
import type { Viewer } from '../../domain/identity/viewer.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { SignInDesk } from './sign-in.ts';

const signedIn = new WeakMap<FastifyRequest, SignedIn>();

/** A Fastify hook for `onRequest`, the only one that runs before the body is read; its errors go to the server's error handler. */
export function signIn(desk: SignInDesk) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    try {
      signedIn.set(request, await desk.signIn(request.headers.authorization, request.raw));
    } catch (error) {
      // Node reads and drops the rest of a body of known length. For a body without one, the connection is closed.
      if (request.headers['transfer-encoding'] !== undefined) reply.header('connection', 'close');
      if (error instanceof GatewayError && error.code === 'UNAUTHENTICATED') {
        reply.header('www-authenticate', 'Bearer');
      }
      throw error;
    }
  };
}

/** The credential that the request was signed in with; call it only after `signIn`. */
export function credentialOf(request: FastifyRequest): SignedIn {
  const credential = signedIn.get(request);
  if (!credential) throw new GatewayError('UNAUTHENTICATED', 'A credential is required');
  return credential;
}

/** The viewer that the request was signed in as; call it only after `signIn`. */
export function viewerOf(request: FastifyRequest): Viewer {
  return credentialOf(request).viewer();
}
