// The contents beside a page: the part that is being read is marked in them.

const READ_AT = 100; // pixels below the top of the window

/** Mark the part that is being read, now and whenever the page is scrolled or laid out anew. */
export function followContents() {
  const links = [...document.querySelectorAll(".toc a")];
  const parts = links.map(({ hash }) => document.getElementById(hash.slice(1)));
  let asked = 0;

  function mark() {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    // The last parts may be too short to come up to the line.
    const isEnd = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 1;
    const here = isEnd
      ? links.length - 1
      : parts.findLastIndex((part) => part.getBoundingClientRect().top <= READ_AT);
    for (const [number, link] of links.entries()) {
      if (number === here) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  }

  function later() {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(mark);
  }

  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  mark();
}
