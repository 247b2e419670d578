// What one answer may hold before it is parsed.

/** An attribute has some 25 values, its tags included. */
export const MOST_VALUES = 2_000_000;
