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
    Search.makeSearchSummary = (text, words, anchor) => {
      const found = document.createDocumentFragment();
      found.append(anchor ? "" : sectionsWith(words, text), summary(text, words, anchor) ?? "");
      return found;
    };
  });

  // It finds pages, and chapters are long: the sections that hold the words are named, too.
  function sectionsWith(words, text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const found = document.createElement("p");
    found.className = "sections-found";
    for (const section of page.querySelectorAll("article section section[id]")) {
      const own = [...section.children].filter((child) => child.localName !== "section");
      const said = own.map((child) => child.textContent).join(" ").toLowerCase();
      if (found.children.length === 5 || ![...words].every((word) => said.includes(word))) continue;
      const link = found.appendChild(document.createElement("a"));
      link.textContent = section.querySelector("h2, h3, h4").textContent.replace(/[#\s]+$/, "");
      // Once it is in its result, whose link leads to the page.
      queueMicrotask(() => {
        link.href = `${found.closest("li").querySelector("a").href.split(/[?#]/)[0]}#${section.id}`;
      });
    }
    return found.children.length ? found : "";
  }

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
