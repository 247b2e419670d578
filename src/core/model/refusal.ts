// How a refusal is told to people: the constant reason, which is counted, and the particular case, where there is one.

/** `detail` may say the reason itself and go on from there. */
export function withDetail(reason: string, detail: string | undefined): string {
  if (detail === undefined || detail === reason) return reason;
  return detail.startsWith(reason) ? detail : `${reason}: ${detail}`;
}
