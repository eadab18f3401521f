// Sortable tables, and buttons that save a table as CSV.
const bytes = (id) => Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
const unpacked = (id) => new Response(new Blob([bytes(id)]).stream().pipeThrough(new DecompressionStream("gzip")));

for (const button of document.querySelectorAll(".save")) {
  button.addEventListener("click", async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await unpacked(`table-${button.dataset.table}`).blob()], { type: "text/csv" }));
    link.download = `${button.dataset.table}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}

for (const table of document.querySelectorAll(".ranking")) {
  const body = table.tBodies[0], more = table.parentElement.parentElement.querySelector(".more"), printed = more?.nextElementSibling;
  let shown = Number(table.dataset.first);
  const cut = () => {
    [...body.rows].forEach((row, index) => (row.hidden = index >= shown));
    if (printed) printed.hidden = shown === Infinity;
  };
  cut();
  more?.addEventListener("click", () => ((shown = Infinity), cut(), more.remove()));
  table.tHead.addEventListener("click", ({ target }) => {
    const head = target.closest("th"), column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (one, other) => value(one).localeCompare(value(other), "en", { numeric: true });
    const last = down ? -Infinity : Infinity; // missing values come last
    const number = (row) => (row.cells[column].dataset.value === "nan" ? last : Number(row.cells[column].dataset.value));
    const rows = [...body.rows], numeric = rows.every((row) => row.cells[column].dataset.value !== undefined);
    rows.sort((one, other) => (down ? -1 : 1) * (numeric ? number(one) - number(other) : compare(one, other)));
    for (const sorted of table.tHead.querySelectorAll("[aria-sort]")) sorted.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
    cut();
  });
}
