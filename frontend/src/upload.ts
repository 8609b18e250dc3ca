/** The course editor's uploads: choose a file, watch it go, see what becomes of it. */

import { call, Problem } from "./api.ts";
import { position } from "./amounts.ts";
import { button, datum, make, part, show } from "./dom.ts";
import { pause } from "./pause.ts";
import { FileChanged, Forbidden, Paused, Transfer } from "./upload/transfer.ts";
import { words } from "./words/index.ts";

interface Film {
  state: "queued" | "working" | "ready" | "refused";
  /** Thousandths of the work. */
  progress: number;
  refused: string | null;
}

const POLL_MS = 2_000;
/** How many files are under way on this page: who leaves it meanwhile is asked. */
let underWay = 0;

function size(bytes: number): string {
  return bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MB` : `${Math.round(bytes / 1024)} KB`;
}

class Bar {
  private readonly fill = make("span");
  private readonly bar = make("div", { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "1000" }, this.fill);
  private readonly text = make("p", { role: "status", "aria-live": "polite" });
  private readonly actions = make("div", { class: "upload-actions" });

  constructor(place: HTMLElement) {
    this.bar.setAttribute("aria-label", words.upload.progress);
    place.replaceChildren(this.bar, this.text, this.actions);
    show(place, true);
  }

  /** `thousandths` of the work; null leaves the bar where it is. */
  tell(text: string, thousandths: number | null, tone = ""): void {
    this.text.textContent = text;
    this.text.className = tone;
    if (thousandths === null) return;
    this.fill.style.width = `${thousandths / 10}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(thousandths)));
  }

  offer(...buttons: HTMLButtonElement[]): void {
    this.actions.replaceChildren(...buttons);
  }
}

/** One chosen file from the first byte to the playable film. */
async function upload(place: HTMLElement, uploadsUrl: string, filmUrl: (id: string) => string, file: File, lessonId: string): Promise<void> {
  const bar = new Bar(part(place, "progress"));
  const transfer = new Transfer(uploadsUrl, file, lessonId, {
    progress: (sent, speed) => {
      const left = speed > 0 ? position(((file.size - sent) / speed) * 1000) : "";
      bar.tell(words.upload.uploading(Math.floor((sent * 100) / file.size), size(speed), left), (sent * 1000) / file.size);
    },
    waiting: (seconds, by, busy) => bar.tell(busy ? words.upload.busy(seconds) : whyWaiting(seconds, by), null, "is-warning"),
    checking: () => bar.tell(words.upload.checking, 1000),
  });
  const giveUp = (label = words.upload.giveUp): HTMLButtonElement =>
    button(label, "x-lg", "btn btn-quiet btn-sm", () => void transfer.discard().then(() => show(part(place, "progress"), false)));
  const go = async (): Promise<void> => {
    underWay += 1;
    bar.tell(words.upload.preparing, null);
    bar.offer(button(words.upload.pause, "pause-fill", "btn btn-quiet btn-sm", () => transfer.pause()), giveUp());
    let filmId: string;
    try {
      filmId = await transfer.run();
    } catch (error) {
      // What the server will never have is not offered again, nor a file that is gone.
      if (isFinal(error)) bar.offer(giveUp(words.close));
      else bar.offer(button(words.upload.resume, "play-fill", "btn btn-primary btn-sm", () => void go()), giveUp());
      if (error instanceof Paused) bar.tell(words.upload.paused, null);
      else bar.tell(whyFailed(error), null, "is-bad");
      return;
    } finally {
      underWay -= 1;
    }
    bar.offer();
    await follow(filmUrl(filmId), lessonId, (film) => tellFilm(bar, film));
  };
  await go();
}

/** Nobody answers, or somebody else does: a page to sign in to the network, a proxy that is in trouble. */
function whyWaiting(seconds: number, by: number | null): string {
  if (by === null) return words.upload.waiting(seconds);
  return by < 400 ? words.upload.portal(seconds) : words.upload.interposed(by, seconds);
}

function isFinal(error: unknown): boolean {
  return error instanceof FileChanged || (error instanceof Problem && error.status !== 401 && error.status !== 429 && error.status < 500);
}

function whyFailed(error: unknown): string {
  if (error instanceof FileChanged) return words.upload.fileChanged;
  if (error instanceof Forbidden) return words.upload.forbidden(error.status);
  if (error instanceof Problem) return words.joined(error.title, error.detail);
  return words.upload.failed;
}

function tellFilm(bar: Bar, film: Film): void {
  if (film.state === "queued") bar.tell(words.upload.queued, 0);
  else if (film.state === "working") bar.tell(words.upload.working(Math.floor(film.progress / 10)), film.progress);
  else if (film.state === "ready") bar.tell(words.upload.ready, 1000, "is-good");
  else bar.tell(words.joined(words.upload.refused, film.refused ?? ""), null, "is-bad");
}

/** Look at a film until it is ready or refused; then its place on the page shows it. What somebody is typing stays. */
async function follow(url: string, lessonId: string, tell: (film: Film) => void): Promise<void> {
  for (;;) {
    const film = await call<Film>(url).catch(() => null);
    if (film !== null) tell(film);
    if (film?.state === "ready" || film?.state === "refused") break;
    await pause(POLL_MS);
  }
  await showAnew(lessonId).catch(() => undefined);
}

/** Take the film's part of this lesson from the page as it is now, and leave everything else alone. */
async function showAnew(lessonId: string): Promise<void> {
  const response = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
  if (!response.ok) return;
  const place = `#lesson-${CSS.escape(lessonId)} .film`;
  const now = new DOMParser().parseFromString(await response.text(), "text/html").querySelector(place);
  const shown = document.querySelector(place);
  if (now !== null && shown !== null) shown.replaceWith(document.adoptNode(now));
}

for (const list of document.querySelectorAll<HTMLElement>("[data-uploads]")) {
  const uploadsUrl = datum(list, "uploads");
  const limit = Number(datum(list, "limit"));
  const filmUrl = (id: string): string => `${uploadsUrl.replace(/\/uploads$/, "/films")}/${id}`;
  for (const place of list.querySelectorAll<HTMLElement>("[data-upload]")) {
    const chooser = part<HTMLInputElement>(place, "file");
    const chosen = (): void => {
      const file = chooser.files?.[0];
      chooser.value = "";
      if (file === undefined) return;
      if (file.size === 0) new Bar(part(place, "progress")).tell(words.upload.empty, 0, "is-bad");
      else if (file.size > limit) new Bar(part(place, "progress")).tell(words.joined(words.upload.tooLarge, `${size(file.size)} > ${size(limit)}`), 0, "is-bad");
      else void upload(place, uploadsUrl, filmUrl, file, datum(place, "lesson"));
    };
    chooser.addEventListener("change", chosen);
    // The page shows before this script has come: a file may be chosen already.
    chosen();
  }
}

for (const film of document.querySelectorAll<HTMLElement>("[data-film]")) {
  const fill = film.querySelector<HTMLElement>(".bar > span");
  const lessonId = film.closest<HTMLElement>("li[id^=lesson-]")?.id.slice("lesson-".length) ?? "";
  void follow(datum(film, "film"), lessonId, (now) => {
    if (fill !== null) fill.style.width = `${now.progress / 10}%`;
  });
}

window.addEventListener("beforeunload", (event) => {
  if (underWay > 0) event.preventDefault();
});
