/** Native dialogs, and what Safari before 15.4 needs instead: there the element is only shown in place. */

/** While it stands on the page, no film is shown: some programs' browsers draw films above everything else. */
const OVER_THE_FILM = "has-dialog";

export function openDialog(dialog: HTMLDialogElement): void {
  document.documentElement.classList.add(OVER_THE_FILM);
  dialog.addEventListener("close", uncover);
  if (typeof dialog.showModal === "function") {
    if (!dialog.open) dialog.showModal();
  } else {
    dialog.setAttribute("open", "");
  }
}

export function closeDialog(dialog: HTMLDialogElement | null): void {
  if (dialog === null) return;
  if (typeof dialog.close === "function") dialog.close();
  else dialog.removeAttribute("open");
  uncover();
}

function uncover(): void {
  if (document.querySelector("dialog[open]") === null) document.documentElement.classList.remove(OVER_THE_FILM);
}
