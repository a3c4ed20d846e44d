// Pieces of a page, made of the templates that stand in it in the reader's language.

/** Clone a template and fill its slots: with text, or with nodes. */
export function made(id, slots = {}) {
  const piece = document.getElementById(id).content.cloneNode(true);
  for (const slot of piece.querySelectorAll("[data-slot]")) {
    const value = slots[slot.dataset.slot];
    if (value === undefined || value === null) slot.remove();
    else slot.replaceChildren(...[value].flat());
  }
  return piece;
}
