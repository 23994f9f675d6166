// Owns sign-in at the HTTP doors: a request without a good credential gets 401 before anything reads it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SignedIn } from '../../domain/identity/authenticator.ts';
import type { Viewer } from '../../domain/identity/viewer.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { SignInDesk } from './sign-in.ts';

const signedIn = new WeakMap<FastifyRequest, SignedIn>();
/** What is not the credential's fault is no 401. */
const STATUS: Partial<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  RATE_LIMITED: 429,
  STORAGE_UNAVAILABLE: 503,
};

/** A Fastify hook that signs the request in, or answers why not. */
export function signIn(desk: SignInDesk) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      signedIn.set(request, await desk.signIn(request.headers.authorization, request.raw));
    } catch (error) {
      const status = error instanceof GatewayError ? STATUS[error.code] : undefined;
      if (!(error instanceof GatewayError) || status === undefined) throw error;
      const { code, message, retryAfterMs } = error;
      reply.code(status);
      if (status === 401) reply.header('www-authenticate', 'Bearer');
      if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1_000));
      const extensions = {
        code,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        requestId: request.id,
      };
      return reply.send({ errors: [{ message, extensions }] });
    }
  };
}

/** The credential that the request came with; only behind `signIn`. */
export function credentialOf(request: FastifyRequest): SignedIn {
  const credential = signedIn.get(request);
  if (!credential) throw new GatewayError('UNAUTHENTICATED', 'A credential is required');
  return credential;
}

/** Who was signed in; only behind `signIn`. */
export function viewerOf(request: FastifyRequest): Viewer {
  return credentialOf(request).viewer();
}
