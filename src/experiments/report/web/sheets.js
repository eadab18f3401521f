// The contact sheets of the clusters: their order, the button that shows all images, and the samples' cards.
const FIRST = data.first, sheets = document.getElementById("sheets"), order = document.getElementById("order");

// Sheets outside the window are laid out after the map is drawn, which would take longer otherwise, or for a link that leads past them.
const layOut = () => sheets.classList.add("laid-out");
for (const event of ["click", "keydown"]) addEventListener(event, layOut, { capture: true, once: true });
if (!TILES.per) layOut();

const stem = (id) => id.slice(id.lastIndexOf("/") + 1).replace(/(.)\.[^.]*$/, "$1"); // of a file's name

function figure(row, cluster) {
  const label = data.labels[row], id = data.ids[row], { classes } = majorities.get(cluster);
  const wrong = cluster >= 0 && label && !classes.includes(label) ? ' class="wrong"' : "";
  const caption = escape(!TILES.per ? [id, label].filter(Boolean).join(": ") : label || stem(id));
  return `<figure${wrong} data-row="${row}" tabindex="-1">${tile(row)}<figcaption>${caption}</figcaption></figure>`;
}

// Noise stays last.
function sortSheets() {
  const size = (cluster) => -members.get(cluster).length, worst = (cluster) => majorities.get(cluster).share;
  const key = { size, worst }[order.value] ?? ((cluster) => cluster);
  const ordered = [...sheets.children].map((sheet) => [Number(sheet.dataset.cluster), sheet]);
  ordered.sort(([one], [other]) => (one < 0) - (other < 0) || key(one) - key(other));
  sheets.append(...ordered.map(([, sheet]) => sheet));
}

order.addEventListener("change", sortSheets);
sheets.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const cluster = Number(button.parentElement.dataset.cluster), tiles = button.previousElementSibling;
  tiles.insertAdjacentHTML("beforeend", members.get(cluster).slice(FIRST).map((row) => figure(row, cluster)).join(""));
  button.remove();
  tiles.children[FIRST].focus(); // the focus moves to the first new image
});
let pointer = "";
const stays = ({ clientX, clientY }) => pointer === (pointer = `${clientX},${clientY}`); // the page scrolled below the pointer
addEventListener("pointermove", stays, { passive: true });
for (const box of [sheets, panel]) {
  box.addEventListener("click", ({ target }) => {
    const tileFigure = target.closest("figure");
    if (tileFigure) showNearest(Number(tileFigure.dataset.row));
  });
  box.addEventListener("pointerover", (event) => {
    const tileFigure = event.target.closest("figure");
    if (event.pointerType === "mouse" && !stays(event) && tileFigure) show(Number(tileFigure.dataset.row), event);
  });
  box.addEventListener("pointerout", () => {
    const focused = box.querySelector("figure:focus-visible");
    if (focused) show(Number(focused.dataset.row), focused);
    else hide();
  });
  box.addEventListener("keydown", (event) => {
    if (!event.target.matches("figure")) return;
    if (event.key === "Enter") showNearest(Number(event.target.dataset.row), true);
    else roam(event, event.target.parentElement.children);
  });
  box.addEventListener("focusin", ({ target }) => {
    if (target.matches("figure:focus-visible")) show(Number(target.dataset.row), target);
  });
  box.addEventListener("focusout", hide);
}

function goTo(cluster) {
  const sheet = document.getElementById(`cluster-${cluster}`);
  sheet.scrollIntoView();
  sheet.querySelector("figure").focus({ focusVisible: true });
}
