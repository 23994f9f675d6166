// Owns how faults on the way to a provider (DNS, connection, TLS, HTTP framing) become a ProviderError that names host and cause.
import { errors } from 'undici';
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';

export type Phase = 'connect' | 'headers' | 'stream';

/** Raised in the connector if the address of a name may not be called. Its text does not tell the address, which may be an internal one. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
  readonly code = 'ADDRESS_REFUSED';

  constructor() {
    super('see PRIVATE_UPSTREAMS');
  }
}

interface Verdict {
  readonly code: ProviderErrorCode;
  readonly words: string;
  readonly transient: boolean;
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  ADDRESS_REFUSED: unavailable('resolves to an address that this installation does not allow', false),
  UND_ERR_DESTROYED: unavailable('is called no more, for the gateway is stopping', false),
  UND_ERR_CLOSED: unavailable('is called no more, for the gateway is stopping', false),
  ENOTFOUND: unavailable('could not be resolved', false),
  ENODATA: unavailable('could not be resolved', false),
  EAI_AGAIN: unavailable('could not be resolved', true),
  ECONNREFUSED: unavailable('refused the connection', true),
  EHOSTUNREACH: unavailable('is not reachable', true),
  ENETUNREACH: unavailable('is not reachable', true),
  ECONNRESET: unavailable('closed the connection', true),
  EPIPE: unavailable('closed the connection', true),
  UND_ERR_SOCKET: unavailable('closed the connection', true),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: unavailable('closed the connection', true),
  ETIMEDOUT: { code: 'PROVIDER_TIMEOUT', words: 'took too long to connect', transient: true },
  UND_ERR_CONNECT_TIMEOUT: { code: 'PROVIDER_TIMEOUT', words: 'took too long to connect', transient: true },
  UND_ERR_HEADERS_OVERFLOW: { code: 'PROVIDER_PROTOCOL', words: 'sent too many headers', transient: false },
  UND_ERR_INVALID_ARG: {
    code: 'PROVIDER_INVALID_REQUEST',
    words: 'cannot be sent this request',
    transient: false,
  },
};

const UNASKED_CONTINUE: Verdict = {
  code: 'PROVIDER_PROTOCOL',
  words:
    'sent an interim answer "100 Continue" that nobody had asked for, and that cannot be read here: switch it off at the server, or at the proxy before it',
  transient: false,
};

const CERTIFICATE_CODE =
  /^(ERR_TLS_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)/;
const HANDSHAKE_CODE = /^(ERR_SSL_|EPROTO)/;

function unavailable(words: string, transient: boolean): Verdict {
  return { code: 'PROVIDER_UNAVAILABLE', words, transient };
}

export function faultOfTransport(error: unknown, host: string, phase: Phase): ProviderError {
  const cause = error instanceof AggregateError && !codeOf(error) ? error.errors[0] : error;
  const code = codeOf(cause);
  if (cause instanceof errors.HTTPParserError) return notHttp(cause, host, phase);
  const {
    code: verdict,
    words,
    transient,
  } = isUnaskedContinue(cause) ? UNASKED_CONTINUE : verdictOf(code, phase);
  const detail = (cause instanceof Error && cause.message ? cause.message : String(cause)).trim();
  const suffix = code && !detail.includes(code) ? `${code}: ${detail}` : detail;
  return new ProviderError(verdict, `${host} ${words} (${suffix})`, {
    cause: error,
    phase,
    transient,
    transport: CERTIFICATE_CODE.test(code) ? 'certificate' : 'connection',
  });
}

/** The cause is left out: it holds the bytes that came, which may be content and must not be logged. */
function notHttp({ message }: Error, host: string, phase: Phase): ProviderError {
  return new ProviderError('PROVIDER_PROTOCOL', `${host} did not answer in HTTP (${message})`, { phase });
}

/** True for an interim answer 100 that was not asked for: undici ends the connection then, and says no more than "bad response". */
function isUnaskedContinue(error: unknown): boolean {
  return error instanceof errors.SocketError && error.message === 'bad response';
}

function verdictOf(code: string, phase: Phase): Verdict {
  const known = Object.hasOwn(VERDICTS, code) ? VERDICTS[code] : undefined;
  if (known) return phase === 'stream' && known.transient ? unavailable('broke off its answer', true) : known;
  if (CERTIFICATE_CODE.test(code)) return unavailable('has no certificate that can be trusted', false);
  if (HANDSHAKE_CODE.test(code)) return unavailable('did not complete the TLS handshake', false);
  return unavailable('could not be called', false);
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
