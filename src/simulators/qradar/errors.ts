// QRadar's error body: the HTTP code with its standing sentence, and beside it the endpoint's own unique code.
// Thrown by handlers, turned into an answer in one place.

const SENTENCES: Readonly<Record<number, string>> = {
  400: 'Invalid syntax for this request was provided',
  401: 'You are unauthorized to access the requested resource.',
  403: 'Your account is not authorized to access the requested resource',
  404: 'We could not find the resource you requested.',
  405: 'The method is not allowed for the requested resource.',
  409: 'The request could not be completed due to a conflict with the current state of the resource',
  410: 'The requested resource is no longer available.',
  413: 'The request entity is too large.',
  415: 'The media type of the request is not supported.',
  416: 'The requested range cannot be satisfied.',
  422: 'The request was well-formed but was unable to be followed due to semantic errors',
  500: 'Unexpected internal server error',
  503: 'The server is temporarily unable to service your request.',
};

/** Any JSON value as text; a text as it is. */
export function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

export class QRadarError extends Error {
  override readonly name = 'QRadarError';
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function errorBody(error: QRadarError): string {
  return JSON.stringify({
    http_response: { code: error.status, message: SENTENCES[error.status] ?? 'Error' },
    code: error.code,
    description: '',
    details: {},
    message: error.message,
  });
}

export const missingParameter = (name: string) =>
  new QRadarError(422, 8, `Missing required parameter "${name}" from query parameters`);
export const badParameter = (name: string) =>
  new QRadarError(422, 11, `Failed to transform user query parameter "${name}" with a content type of "TEXT_PLAIN"`);
export const badPathNumber = (name: string, text: string) =>
  new QRadarError(
    422,
    11,
    `Failed to transform user path parameter "${name}" with a content type of "TEXT_PLAIN". Could not convert from ${text} to Long`,
  );
