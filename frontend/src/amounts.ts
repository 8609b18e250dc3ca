/** Positions and amounts of time as text. */

/** A position in a film: 12:05 or 1:02:05. */
export function position(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Minutes and seconds of an amount. */
export function minutesAndSeconds(ms: number): { minutes: number; seconds: number } {
  const seconds = Math.floor(ms / 1000);
  return { minutes: Math.floor(seconds / 60), seconds: seconds % 60 };
}
