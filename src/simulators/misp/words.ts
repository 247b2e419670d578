/** A value of a filter or body as text: what is neither text, number nor boolean as JSON, which then matches nothing. */
export const word = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? `${value}`
      : (JSON.stringify(value) ?? '');
