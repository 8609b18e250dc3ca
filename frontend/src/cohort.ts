/** The cohort editor: whenever the form changes, the server says what the rules think of it so far. */

import { datum, part } from "./dom.ts";

const SETTLE_MS = 300;

function watch(form: HTMLFormElement): void {
  const url = datum(form, "figures");
  const place = part(form, "figures");
  let timer = 0;
  let asking: AbortController | null = null;

  async function ask(): Promise<void> {
    asking?.abort();
    const mine = (asking = new AbortController());
    const filled = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (name !== "csrf_token" && typeof value === "string") filled.append(name, value);
    }
    try {
      const response = await fetch(`${url}?${filled}`, { signal: mine.signal, credentials: "same-origin", redirect: "error" });
      // The server escapes what was typed; anything but an answer leaves the last figures standing, marked as old.
      if (response.ok) place.innerHTML = await response.text();
      place.classList.toggle("is-old", !response.ok);
    } catch {
      if (!mine.signal.aborted) place.classList.add("is-old");
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), SETTLE_MS);
  });
}

document.querySelectorAll<HTMLFormElement>("form[data-figures]").forEach(watch);
