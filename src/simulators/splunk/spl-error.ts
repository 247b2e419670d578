/** A search that cannot run, with the text its job fails with. */
export class SplError extends Error {}
