// The pointer on the map: a click chooses a pixel, a drag moves the scene or the divider.

const CLICK_PIXELS = 4;
const NEAR_DIVIDER = 8;

function watchPointer(map, share) {
  const { canvas, view } = map;
  let drag = null;

  function at(event) {
    const box = canvas.getBoundingClientRect();
    const ratio = canvas.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  function nearDivider(x) {
    const ratio = window.devicePixelRatio || 1;
    return chosenLayers().swipe && Math.abs(x - (share.value / 100) * canvas.width) < NEAR_DIVIDER * ratio;
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [x, y] = at(event);
    drag = { x, y, moved: false, divider: nearDivider(x) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!drag) {
      canvas.style.cursor = nearDivider(x) ? "ew-resize" : "crosshair";
      map.pointed(view.pixelAt(x, y));
      return;
    }
    const ratio = window.devicePixelRatio || 1;
    drag.moved ||= Math.hypot(x - drag.x, y - drag.y) > CLICK_PIXELS * ratio;
    if (!drag.moved) return;
    if (drag.divider) {
      share.value = (100 * x) / canvas.width;
    } else {
      view.pan(x - drag.x, y - drag.y);
      [drag.x, drag.y] = [x, y];
    }
    map.redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const pixel = view.pixelAt(...at(event));
    if (drag && !drag.moved && pixel) map.choose(pixel);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("pointerleave", () => map.pointed(null));
  canvas.addEventListener(
    "wheel",
    (event) => {
      // A page that is only scrolled past is not to be caught by its map.
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      map.zoom(event.deltaY < 0 ? 1.25 : 0.8, ...at(event));
    },
    { passive: false },
  );
}
