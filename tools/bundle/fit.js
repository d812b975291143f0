// Makes the book ready for paper, and returns what is not within the text's
// width: Chromium would cut it off, or shrink every page for its sake.
() => {
  // A formula is read aloud as its TeX. MathJax's hidden MathML is wider than the text.
  for (const formula of window.MathJax?.startup?.document?.math ?? []) {
    formula.typesetRoot.setAttribute("role", "img");
    formula.typesetRoot.setAttribute("aria-label", formula.math.trim());
  }
  for (const hidden of document.querySelectorAll("mjx-assistive-mml")) hidden.remove();

  // A formula or a table that is too wide is set smaller, never cut.
  for (const formula of document.querySelectorAll("mjx-container")) {
    const room = formula.hasAttribute("display")
      ? formula.clientWidth
      : formula.closest("td, th, li, dd, p, div, section").clientWidth;
    const wide = formula.scrollWidth / room;
    if (wide > 1) formula.style.fontSize = `${Math.floor(98 / wide)}%`;
  }
  for (const table of document.querySelectorAll("table")) {
    if (table.offsetWidth > table.parentElement.clientWidth) table.classList.add("tight");
    // A long table is divided between its rows.
    if (table.offsetHeight > 500) table.classList.add("long");
  }

  const text = document.body.getBoundingClientRect();
  const wide = [...document.querySelectorAll("body *")].filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    const isBlock = getComputedStyle(element).display === "block";
    const end = isBlock ? Math.max(right, left + element.scrollWidth) : right;
    return left < text.left - 1 || end > text.right + 1;
  });
  const innermost = wide.filter((one) => !wide.some((two) => two !== one && one.contains(two)));
  return innermost.map((element) =>
    `${element.closest("[id]")?.id}: ${element.textContent.trim().slice(0, 60)}`);
}
