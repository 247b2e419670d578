/**
 * What is made from here on is its owner's alone and never shut to him, whatever umask was inherited: it holds what partners
 * marked, or secrets.
 */
export function ownerAlone(): void {
  process.umask(0o077);
}
