// Exit codes of the public interface.
export const DONE = 0;
/** Something failed or is left. */
export const LEFT = 1;
/** Wrong usage or configuration. */
export const USAGE = 2;
export const BUG = 70;
