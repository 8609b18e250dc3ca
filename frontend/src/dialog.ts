/** Native dialogs, and what Safari before 15.4 needs instead: there the element is only shown in place. */

export function openDialog(dialog: HTMLDialogElement): void {
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
}
