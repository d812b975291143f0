// A box that scrolls can be reached with the keyboard, for as long as it scrolls: wide
// code, formulas and tables on a narrow screen, also when a solution is opened later.
{
  const boxes = "pre, mjx-container[display], table.table, div.cell_output, div.math";
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    for (const box of document.querySelectorAll(boxes)) observer.observe(box);
  });
}
