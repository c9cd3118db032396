"use strict";

// Light and dark: as the system has it, until the reader chooses.
const root = document.documentElement;
const theme = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
const stored = (value) => {
  try { return value ? localStorage.setItem("theme", value) : localStorage.getItem("theme"); } catch { return null; }
};
if (["light", "dark"].includes(stored())) root.dataset.theme = stored();
theme.hidden = false;
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  stored(root.dataset.theme);
  nameTheme();
});
system.addEventListener("change", nameTheme);
nameTheme();

// On a narrow page the contents stand in the way until they are asked for.
if (matchMedia("(max-width: 60rem)").matches) document.querySelector("nav details").open = false;

// A figure in full size; a click or Escape closes it.
const dialog = document.getElementById("large");
for (const button of document.querySelectorAll(".enlarge")) {
  button.addEventListener("click", () => {
    const image = button.querySelector("img");
    dialog.querySelector("img").src = image.src;
    dialog.querySelector("img").alt = image.alt;
    dialog.querySelector("p").textContent = button.nextElementSibling.textContent;
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());

// A column sorts by a click on its head: numbers as numbers, and what is missing comes last.
const valueOf = (cell) => (cell.dataset.value === undefined ? cell.textContent : numberOf(cell.dataset.value));
const numberOf = (text) => ({ inf: Infinity, "-inf": -Infinity })[text] ?? Number(text);
const compare = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return Number.isNaN(a) - Number.isNaN(b) || a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b, undefined, { numeric: true });
};
for (const head of document.querySelectorAll("th")) {
  head.querySelector("button").addEventListener("click", () => {
    const body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending";
    const missing = (row) => ["–", ""].includes(row.cells[head.cellIndex].textContent);
    const rows = [...body.rows].sort((a, b) => {
      if (missing(a) !== missing(b)) return missing(a) - missing(b);
      const order = compare(valueOf(a.cells[head.cellIndex]), valueOf(b.cells[head.cellIndex]));
      return up ? order : -order;
    });
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows);
  });
}
