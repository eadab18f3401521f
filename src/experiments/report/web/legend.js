// What is on the map, by name: a click hides and shows, a name below the pointer stands out. Arrows go through it.
const list = document.getElementById("groups"), colour = document.getElementById("colour");

function drawLegend() {
  list.innerHTML = groups.map(({ name, about, colour, shape, places }, each) =>
    `<button type="button" aria-pressed="true" data-group="${each}" tabindex="${each ? -1 : 0}"><svg viewBox="-1.3 -1.3 2.6 2.6" aria-hidden="true">` +
    `<path d="${shape}" fill="${colour}"/></svg>${text(name)} <small>(${places.length.toLocaleString("en")})${about && ` ${text(about)}`}</small></button>`).join("");
}

function showAlone(wanted) {
  groups.forEach((each, number) => (each.shown = wanted(each, number)));
  for (const [number, button] of [...list.children].entries()) button.setAttribute("aria-pressed", groups[number].shown);
  select(-1);
  later();
}

const raise = (target) => {
  const now = groups[target?.closest("[data-group]")?.dataset.group] ?? null;
  if (now !== raised) (raised = now?.shown ? now : null), later();
};
list.addEventListener("click", ({ target, detail }) => {
  const own = groups[target.closest("[data-group]")?.dataset.group];
  if (own && detail < 2) showAlone((each) => each.shown !== (each === own));
});
list.addEventListener("dblclick", ({ target }) => {
  const own = groups[target.closest("[data-group]")?.dataset.group];
  if (own) showAlone((each) => each === own);
});
list.addEventListener("pointerover", ({ target, pointerType }) => pointerType === "mouse" && raise(target));
list.addEventListener("pointerleave", () => raise());
list.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && raise(target));
list.addEventListener("focusout", () => raise());
list.addEventListener("keydown", (event) => roam(event, list.children));
document.querySelector("#legend .tools").addEventListener("click", ({ target }) => {
  if (target.dataset.all !== undefined) showAlone(() => target.dataset.all === "yes");
});
colour.addEventListener("change", () => {
  group(colour.value);
  drawLegend();
  select(-1);
  later();
});
if (!data.labels.length) colour.parentElement.remove();
drawLegend();
