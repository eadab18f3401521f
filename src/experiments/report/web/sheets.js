// The contact sheets of the clusters: their order, all images when asked for, and the card of each.
const FIRST = data.first, sheets = document.getElementById("sheets"), order = document.getElementById("order");

function figure(place, cluster) {
  const label = data.labels[place], id = data.ids[place], { classes } = majorities.get(cluster);
  const wrong = cluster >= 0 && label && !classes.includes(label) ? ' class="wrong"' : "";
  const said = text(!label ? id : TILES.per ? label : `${id}: ${label}`);
  return `<figure${wrong} data-place="${place}" tabindex="-1">${tile(place)}<figcaption>${said}</figcaption></figure>`;
}

// Noise stays last.
function sortSheets() {
  const size = (cluster) => -members.get(cluster).length, worst = (cluster) => majorities.get(cluster).share;
  const key = { size, worst }[order.value] ?? ((cluster) => cluster);
  const found = [...sheets.children].map((sheet) => [Number(sheet.dataset.cluster), sheet]);
  found.sort(([one], [other]) => (one < 0) - (other < 0) || key(one) - key(other));
  sheets.append(...found.map(([, sheet]) => sheet));
}

order.addEventListener("change", sortSheets);
sheets.addEventListener("click", (event) => {
  const button = event.target.closest("button"), tiled = event.target.closest("figure");
  if (tiled) show(Number(tiled.dataset.place), event);
  if (!button) return;
  const cluster = Number(button.parentElement.dataset.cluster), tiles = button.previousElementSibling;
  tiles.insertAdjacentHTML("beforeend", members.get(cluster).slice(FIRST).map((place) => figure(place, cluster)).join(""));
  button.remove();
  tiles.children[FIRST].focus(); // the keyboard goes on where the new ones begin
});
let pointer = "";
const stays = ({ clientX, clientY }) => pointer === (pointer = `${clientX},${clientY}`); // the page moved below it
addEventListener("pointermove", stays, { passive: true });
sheets.addEventListener("pointerover", (event) => {
  const tiled = event.target.closest("figure");
  if (event.pointerType === "mouse" && !stays(event) && tiled) show(Number(tiled.dataset.place), event);
});
sheets.addEventListener("pointerout", () => {
  const held = sheets.querySelector("figure:focus-visible");
  if (held) show(Number(held.dataset.place), held);
  else hide();
});
sheets.addEventListener("keydown", (event) => event.target.matches("figure") && roam(event, event.target.parentElement.children));
sheets.addEventListener("focusin", ({ target }) => {
  if (target.matches("figure:focus-visible")) show(Number(target.dataset.place), target);
});
sheets.addEventListener("focusout", hide);

function goTo(cluster) {
  const sheet = document.getElementById(`cluster-${cluster}`);
  sheet.scrollIntoView();
  sheet.querySelector("figure").focus({ focusVisible: true });
}
