// What one answer may hold before it is parsed, and what it names.

/** Feeds have some 15 values an object, and 64 MiB of them some 2 million. */
export const MOST_VALUES = 2_000_000;
/** Objects are read one answer at a time; servers that ignore `limit` send whole collections. */
export const MOST_OBJECTS = 200_000;

/** Values that the patterns of one answer name: all are held at once. 447,576 of them took the whole process to 294 MB. */
export const MOST_NAMED = 400_000;
