/** What a sitting left behind, as the regulator's replay gets it. Times are epoch ms of the server. */

export interface Item {
  from_ms: number;
  /** Missing: a moment, not a stretch. */
  to_ms?: number;
  /** A word of the server for its look: confirmed, held, refused, hidden, match, missed, … */
  kind: string;
  label: string;
  /** Address of a picture, or of several. Looking is recorded, so none is fetched before it is asked for. */
  picture?: string | string[] | null;
  detail?: string | Record<string, string | number> | null;
}

export interface Track {
  name: string;
  items: Item[];
}

export interface SittingRecord {
  began_ms: number;
  ended_ms: number;
  tracks: Track[];
}

/** The five looks of things on the timeline. */
export type Tone = "confirmed" | "provisional" | "held" | "refused" | "neutral";

const TONES: Record<string, Tone> = {
  confirmed: "confirmed",
  credited: "confirmed",
  match: "confirmed",
  accept: "confirmed",
  focused: "confirmed",
  online: "confirmed",
  provisional: "provisional",
  playing: "provisional",
  service_down: "provisional",
  due: "provisional",
  answered: "provisional",
  held: "held",
  unclear: "held",
  no_face: "held",
  several_faces: "held",
  no_camera: "held",
  refused_check: "held",
  missed: "held",
  hidden: "held",
  idle: "held",
  gap: "held",
  mismatch: "refused",
  reject: "refused",
  refused: "refused",
  conflict: "refused",
  lost: "refused",
};

export function toneOf(kind: string): Tone {
  return TONES[kind] ?? "neutral";
}

/** Where something held or refused begins, in order: what an auditor looks at first. */
export function odditiesOf(record: SittingRecord): number[] {
  const found = record.tracks
    .flatMap((track) => track.items)
    .filter((item) => ["held", "refused"].includes(toneOf(item.kind)))
    .map((item) => item.from_ms);
  return [...new Set(found)].sort((one, other) => one - other);
}

export function picturesOf(item: Item): string[] {
  if (item.picture === undefined || item.picture === null) return [];
  return Array.isArray(item.picture) ? item.picture : [item.picture];
}

export function detailOf(item: Item): string {
  const { detail } = item;
  if (detail === undefined || detail === null) return "";
  if (typeof detail === "string") return detail;
  return Object.entries(detail)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ");
}

/** A moment is shown this long around itself when one asks what is there. */
export function itemsAt(track: Track, atMs: number, nearMs: number): Item[] {
  return track.items.filter((item) =>
    item.to_ms === undefined ? Math.abs(item.from_ms - atMs) <= nearMs : item.from_ms <= atMs && atMs < item.to_ms,
  );
}

/** Round steps for the time axis, so that about `wanted` labels fit. */
export function axisStepMs(spanMs: number, wanted: number): number {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400].map((seconds) => seconds * 1000);
  return steps.find((step) => spanMs / step <= wanted) ?? 28_800_000;
}
