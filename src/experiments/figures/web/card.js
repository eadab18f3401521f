// The hover card: image and text of the point below the pointer.
const card = document.getElementById("card"), [canvas, caption] = card.children;
const sprites = [];
const sprite = (number) => sprites[number] ??= (() => {
  const packed = atob(document.getElementById(`sprite-${number}`).textContent);
  const bytes = Uint8Array.from(packed, c => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
})();
let current = -1, pointer = { clientX: 0, clientY: 0 }; // plotly's events of 3-d plots have no pointer
figure.addEventListener("pointermove", (event) => { pointer = event; }, true);
figure.on("plotly_hover", async ({ points, event = pointer }) => {
  const row = current = points[0].customdata;
  caption.textContent = texts[row];
  const image = per ? await sprite(Math.floor(row / per)) : null;
  if (row !== current) return;
  canvas.width = canvas.height = image ? shown : 0;
  const paper = canvas.getContext("2d"), tile = row % per;
  paper.imageSmoothingEnabled = side >= 32;
  const left = pitch * (tile % columns), top = pitch * Math.floor(tile / columns);
  if (image) paper.drawImage(image, left, top, side, side, 0, 0, shown, shown);
  card.style.display = "block";
  const right = event.clientX + 16 + card.offsetWidth > innerWidth;
  const low = event.clientY + 16 + card.offsetHeight > innerHeight;
  card.style.left = `${Math.max(0, event.clientX + (right ? -16 - card.offsetWidth : 16))}px`;
  card.style.top = `${Math.max(0, event.clientY + (low ? -16 - card.offsetHeight : 16))}px`;
});
figure.on("plotly_unhover", () => { current = -1; card.style.display = "none"; });
