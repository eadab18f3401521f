// The clusters as contact sheets: the images nearest to the centre first, all of them when asked for.
const FIRST = 24, MANY = 150, sheets = document.getElementById("sheets"), order = document.getElementById("order");

function figure(place, cluster, each) {
  const label = data.labels[place], id = data.ids[place], most = majorities.get(cluster).label;
  const wrong = cluster >= 0 && label && label !== most ? ' class="wrong"' : "";
  const said = text(!label ? id : TILES.per ? label : `${id}: ${label}`);
  return `<figure${wrong} data-place="${place}" tabindex="${each ? -1 : 0}">${tile(place)}<figcaption>${said}</figcaption></figure>`;
}

function sheet(cluster) {
  const places = members.get(cluster), mostly = composition(majorities.get(cluster), places.length), name = clusterName(cluster);
  const more = places.length > FIRST ? `<button type="button" data-cluster="${cluster}">show all ${places.length.toLocaleString("en")}</button>` : "";
  return `<div class="sheet" id="cluster-${cluster}" style="contain-intrinsic-size:auto 220px"><h3 id="named-${cluster}">${text(`${name}: ${places.length.toLocaleString("en")}${mostly}`)}</h3>` +
    `<div class="tiles" role="group" aria-labelledby="named-${cluster}">${places.slice(0, FIRST).map((place, each) => figure(place, cluster, each)).join("")}</div>${more}</div>`;
}

function drawSheets() {
  const size = (cluster) => -members.get(cluster).length, worst = (cluster) => majorities.get(cluster).share;
  const clusters = [...members.keys()], key = { size, worst }[order.value];
  if (key) clusters.sort((one, other) => (one < 0) - (other < 0) || key(one) - key(other));
  sheets.classList.toggle("many", clusters.length > MANY); // then those out of sight are laid out when they come near
  sheets.innerHTML = clusters.map(sheet).join("");
}

if (!data.labels.length) order.querySelector('[value="worst"]').remove();
if (!TILES.per) sheets.classList.add("named");
order.addEventListener("change", drawSheets);
sheets.addEventListener("click", (event) => {
  const button = event.target.closest("button"), tiled = event.target.closest("figure");
  if (tiled) show(Number(tiled.dataset.place), event);
  if (!button) return;
  const cluster = Number(button.dataset.cluster), tiles = button.previousElementSibling;
  tiles.innerHTML = members.get(cluster).map((place, each) => figure(place, cluster, each)).join("");
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
drawSheets();
