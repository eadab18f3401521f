// The image and the text of the point below the pointer.
const card = document.getElementById("card"), [canvas, words] = card.children;
const sheets = [];
const sheet = (number) => sheets[number] ??= (() => {
  const packed = atob(document.getElementById(`sheet-${number}`).textContent);
  const bytes = Uint8Array.from(packed, c => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
})();
let current = -1, pointer = { clientX: 0, clientY: 0 }; // plotly's event has no pointer where it draws in space
place.addEventListener("pointermove", (event) => { pointer = event; }, true);
place.on("plotly_hover", async ({ points, event = pointer }) => {
  const row = current = points[0].customdata;
  words.textContent = texts[row];
  const image = per ? await sheet(Math.floor(row / per)) : null;
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
place.on("plotly_unhover", () => { current = -1; card.style.display = "none"; });
