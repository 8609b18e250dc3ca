/** What every page needs: menus that close, dialogs that open and ask, forms that cannot be sent twice, figures that tick. */

import { closeDialog, openDialog } from "./dialog.ts";

function closeMenus(except: Element | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function watchMenus(): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    closeMenus(target?.closest("details.menu") ?? null);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector<HTMLDetailsElement>("details.menu[open]");
    if (open === null) return;
    open.open = false;
    open.querySelector("summary")?.focus();
  });
}

/** `<button data-opens="id">` opens the dialog of that id; `<button data-closes>` closes the one it is in. */
function watchDialogs(): void {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest<HTMLElement>("[data-opens]");
    if (opener !== null) {
      const dialog = document.getElementById(opener.dataset["opens"] ?? "");
      if (dialog !== null) {
        event.preventDefault();
        openDialog(dialog as HTMLDialogElement);
      }
    }
    const closer = event.target.closest("[data-closes]");
    if (closer !== null) closeDialog(closer.closest("dialog"));
  });
}

/** A second click must not send a form again while the first is on its way. */
function watchForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method === "get" || form.method === "dialog") return;
    // Who holds a form back sends it later.
    if (event.defaultPrevented) return;
    // A file to keep leaves the page where it is.
    if (form.dataset["downloads"] !== undefined) return;
    if (form.dataset["sent"] !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset["sent"] = "";
    form.setAttribute("aria-busy", "true");
  });
  // A page that comes back from the browser's history may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
      delete form.dataset["sent"];
      form.removeAttribute("aria-busy");
    }
  });
}

/** `<select data-submits>` sends its form on change (filters). */
function watchFilters(): void {
  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.dataset["submits"] !== undefined) {
      event.target.form?.submit();
    }
  });
}

/** `<button data-chooses="value" data-among="form">` chooses that value wherever the form's radio buttons are still open. */
function watchChoosers(): void {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-chooses]") : null;
    const form = document.getElementById(button?.dataset["among"] ?? "");
    if (button === null || !(form instanceof HTMLFormElement)) return;
    const radios = [...form.elements].filter(
      (each): each is HTMLInputElement => each instanceof HTMLInputElement && each.type === "radio",
    );
    const settled = new Set(radios.filter((each) => each.checked).map((each) => each.name));
    for (const radio of radios) {
      if (radio.value === button.dataset["chooses"] && !settled.has(radio.name)) radio.checked = true;
    }
  });
}

/** `<button data-ticks="form">` ticks every box of a form, or none where all are ticked. */
function watchTickers(): void {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-ticks]") : null;
    const form = document.getElementById(button?.dataset["ticks"] ?? "");
    if (button === null || !(form instanceof HTMLFormElement)) return;
    const boxes = [...form.elements].filter(
      (each): each is HTMLInputElement => each instanceof HTMLInputElement && each.type === "checkbox",
    );
    const all = boxes.every((each) => each.checked);
    for (const box of boxes) box.checked = !all;
  });
}

/** `<button data-prints>` prints the page. */
function watchPrinters(): void {
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-prints]") !== null) window.print();
  });
}

/** `<form data-goes-on>` is sent by itself: the next portion of a long task. */
function goOn(): void {
  document.querySelector<HTMLFormElement>("form[data-goes-on]")?.requestSubmit();
}

/** The code on a slip leads to the sign-in page with the account behind a hash, which no server and no log is told. */
function fillAccount(): void {
  const account = document.querySelector<HTMLInputElement>("input[name=account][autocomplete=username]");
  if (account === null || location.hash.length < 2) return;
  if (account.value === "") account.value = decodeURIComponent(location.hash.slice(1)).slice(0, 64);
  history.replaceState(null, "", location.pathname + location.search);
  document.querySelector<HTMLInputElement>("input[name=password]")?.focus();
}

watchMenus();
watchPrinters();
goOn();
fillAccount();
watchChoosers();
watchTickers();
watchDialogs();
watchForms();
watchFilters();
