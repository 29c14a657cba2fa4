// What the theme's script leaves out.
(() => {
  // It lets the keyboard into the blocks of code that scroll, as it measures them when the
  // page is loaded or resized; but they grow when the book's faces arrive.
  document.fonts.ready.then(() => window.dispatchEvent(new Event("resize")));

  // Nor does it let the keyboard into formulas that scroll.
  window.addEventListener("resize", () => {
    for (const formula of document.querySelectorAll("div.math")) {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
      else formula.removeAttribute("tabindex");
    }
  });

  // Sphinx's search stops where it finds no words to show, as at a mark of the index.
  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Search === "undefined") return;
    const summary = Search.makeSearchSummary;
    Search.makeSearchSummary = (...words) => summary(...words) ?? document.createDocumentFragment();
  });

  // Paper is white: a page in dark mode is printed as in light mode.
  const root = document.documentElement;
  let theme;
  window.addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    root.dataset.theme = theme;
  });
})();
