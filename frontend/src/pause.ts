/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => window.setTimeout(done, ms));
}
