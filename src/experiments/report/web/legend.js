// The legend of the map: a click hides or shows a group, a double click shows only it, hovering highlights it.
const list = document.getElementById("groups"), colour = document.getElementById("colour");

function drawLegend() {
  list.innerHTML = groups.map(({ name, majority, colour, shape, rows }, number) =>
    `<button type="button" aria-pressed="true" data-group="${number}" tabindex="${number ? -1 : 0}"><svg viewBox="-1.3 -1.3 2.6 2.6" aria-hidden="true">` +
    `<path d="${shape}" fill="${colour}"/></svg>${escape(name)} <small>(${rows.length.toLocaleString("en")})${majority && ` ${escape(majority)}`}</small></button>`).join("");
}

function showOnly(wanted) {
  groups.forEach((group) => (group.shown = wanted(group)));
  for (const [number, button] of [...list.children].entries()) button.setAttribute("aria-pressed", groups[number].shown);
  select(-1);
  redraw();
}

const highlight = (target) => {
  const hovered = groups[target?.closest("[data-group]")?.dataset.group] ?? null;
  if (hovered !== highlighted) (highlighted = hovered?.shown ? hovered : null), redraw();
};
list.addEventListener("click", ({ target, detail }) => {
  const clicked = groups[target.closest("[data-group]")?.dataset.group];
  if (clicked && detail < 2) showOnly((group) => group.shown !== (group === clicked));
});
list.addEventListener("dblclick", ({ target }) => {
  const clicked = groups[target.closest("[data-group]")?.dataset.group];
  if (clicked) showOnly((group) => group === clicked);
});
list.addEventListener("pointerover", ({ target, pointerType }) => pointerType === "mouse" && highlight(target));
list.addEventListener("pointerleave", () => highlight());
list.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && highlight(target));
list.addEventListener("focusout", () => highlight());
list.addEventListener("keydown", (event) => roam(event, list.children));
document.querySelector("#legend .tools").addEventListener("click", ({ target }) => {
  if (target.dataset.all !== undefined) showOnly(() => target.dataset.all === "yes");
});
colour.addEventListener("change", () => {
  groupBy(colour.value);
  drawLegend();
  select(-1);
  redraw();
});
if (!data.labels.length) colour.parentElement.remove();
drawLegend();
