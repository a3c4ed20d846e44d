// `/` puts the cursor into the search box, as on most sites that one searches.

document.addEventListener("keydown", (event) => {
  const box = document.getElementById("q");
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  event.preventDefault();
  box.focus();
  box.select();
});
