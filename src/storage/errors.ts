// Owns the one place where a driver's error becomes a `StorageError`.
import { StorageError } from '../kernel/errors.ts';

const CONSTRAINT_CLASS = '23';
/** SQLSTATE class of values that the database cannot store: U+0000 in a text, a number or a moment out of range. */
const DATA_CLASS = '22';
/** SQLSTATE classes and codes that mean "not now": connection, sign-in, no such database, resources, operator intervention, time limits, locks. */
const UNAVAILABLE_STATES = /^(08|28|3D|53|57|58|55P03|40001|40P01)/;
/** SQLSTATE of a deadlock, and of a transaction that could not be serialized. */
const LOST_STATES = new Set(['40P01', '40001']);
/** PostgreSQL's message if a value, e.g. one with U+0000, has broken the bytes of a protocol message. Poolers use the same code for messages out of order. */
const BROKEN_BY_VALUE_TEXT = /invalid (message format|string in message)|insufficient data left in message/i;
const UNAVAILABLE_SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
]);
const UNAVAILABLE_TEXT =
  /timeout exceeded when trying to connect|connection terminated|not queryable|query read timeout|PGlite is closed|cannot use a pool after calling end/i;

interface DriverFault {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
  readonly cause?: unknown;
}

/** Looks through the ORM's wrappers to the driver's own error. */
export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  for (let fault = error as DriverFault | undefined, depth = 0; fault && depth < 5; depth += 1) {
    if (fault.code?.startsWith(CONSTRAINT_CLASS) && fault.code.length === 5) {
      return new StorageError('conflict', fault.message ?? 'A constraint refused the write', {
        cause: error,
        ...(fault.constraint === undefined ? {} : { constraint: fault.constraint }),
      });
    }
    if (isInvalidValue(fault)) {
      return new StorageError('invalid', fault.message ?? 'A value cannot be stored', { cause: error });
    }
    if (isUnavailable(fault)) {
      return new StorageError('unavailable', 'The database does not answer', { cause: error });
    }
    fault = (fault.cause ?? (fault as { previous?: unknown }).previous) as DriverFault | undefined;
  }
  return new StorageError('fault', error instanceof Error ? error.message : String(error), { cause: error });
}

/** True if the statement was rolled back in favour of one that ran at the same time; sent again, it is likely to succeed. */
export function hasLostAgainstAnother(error: unknown): boolean {
  return LOST_STATES.has((error as DriverFault | undefined)?.code ?? '');
}

function isInvalidValue({ code = '', message = '' }: DriverFault): boolean {
  if (code.length !== 5) return false;
  return code.startsWith(DATA_CLASS) || (code === '08P01' && BROKEN_BY_VALUE_TEXT.test(message));
}

function isUnavailable(fault: DriverFault): boolean {
  const code = fault.code ?? '';
  return (
    UNAVAILABLE_SYSTEM_CODES.has(code) ||
    (code.length === 5 && UNAVAILABLE_STATES.test(code)) ||
    UNAVAILABLE_TEXT.test(fault.message ?? '')
  );
}
